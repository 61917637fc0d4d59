"""The tour: what wengert does, offline, in about a minute.

It explains a function and a network step by step, trains a classifier of handwritten digits, runs a few labs,
and leaves a folder whose front page leads through all of it. ``wengert tour`` runs it.
"""

from wengert.tour.digits import EPOCHS, HELD_OUT, load_digits, train
from wengert.tour.stops import STOPS, Stop, labs_on_the_way
from wengert.tour.walk import TourResult, run
from wengert.tour.worked_examples import (
    AT,
    NETWORK,
    TEXTBOOK,
    derive_network,
    explain_network,
    explain_textbook,
    network,
    network_data,
)

__all__ = [
    "AT",
    "EPOCHS",
    "HELD_OUT",
    "NETWORK",
    "STOPS",
    "TEXTBOOK",
    "Stop",
    "TourResult",
    "derive_network",
    "explain_network",
    "explain_textbook",
    "labs_on_the_way",
    "load_digits",
    "network",
    "network_data",
    "run",
    "train",
]
