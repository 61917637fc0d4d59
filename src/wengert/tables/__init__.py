"""From a table to a network that predicts one of its columns: trained, scored, saved, reported, exported.

This is what ``wengert train`` and its companions do.

>>> import pathlib, tempfile
>>> folder = pathlib.Path(tempfile.mkdtemp())
>>> rows = [f"{x / 20},{'low' if x < 60 else 'high'}" for x in range(120)]
>>> _ = (folder / "heights.csv").write_text("\\n".join(["height,kind", *rows]))
>>> run = train_table(folder / "heights.csv", "kind", hidden=[8], epochs=20, out=folder / "run")
>>> run.scores["test"]["accuracy"] > 0.9
True
>>> import pandas
>>> run.predict(pandas.DataFrame({"height": [0.5, 5.5]}))["prediction"].tolist()
['low', 'high']
"""

from wengert.tables.exporting import export_run
from wengert.tables.networks import Recipe
from wengert.tables.problems import Problem, Request, prepared
from wengert.tables.runs import Run
from wengert.tables.training import begin, carry_on, train_table

__all__ = [
    "Problem",
    "Recipe",
    "Request",
    "Run",
    "begin",
    "carry_on",
    "export_run",
    "prepared",
    "train_table",
]
