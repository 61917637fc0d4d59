"""The command line: parse, call, render."""

from wengert.cli.main import main

__all__ = ["main"]
