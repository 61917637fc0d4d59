"""Worksheets: the step table of an evaluation as plain data, and its readers."""
