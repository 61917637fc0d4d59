"""Exercises to hand out: a function, a network or a descent in friendly numbers, with blanks or solved."""
