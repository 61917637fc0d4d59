"""``python -m wengert`` is the command line."""

from wengert.cli import main

main()
