"""Experiments: each asks a question, computes, and claims what its numbers show.

A lab is a generator that yields, in reading order, paragraphs, formulas, tables, pictures and claims. A claim
holds or fails by the value that was computed in this run.

>>> from wengert.labs import Lab, at_least, run_lab
>>> def count(context):
...     yield "We count to three."
...     yield at_least("how far", len(range(3)), 3)
>>> lab = Lab("counting", ("M0",), "Counting", "Can we count?", "nothing is left out", count)
>>> run_lab(lab).holds
True
"""

from wengert.labs.claims import Claim, above, at_least, at_most, below, equals, within
from wengert.labs.lab import Context, Formula, Item, Lab, LabResult, Listing, Picture, Table, run_lab
from wengert.labs.registry import all_labs, find_lab, lab_names

__all__ = [
    "Claim",
    "Context",
    "Formula",
    "Item",
    "Lab",
    "LabResult",
    "Listing",
    "Picture",
    "Table",
    "above",
    "all_labs",
    "at_least",
    "at_most",
    "below",
    "equals",
    "find_lab",
    "lab_names",
    "run_lab",
    "within",
]
