"""The known data sets: what they are, whose they are, and where their files can be had."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wengert.data import descents, faces, images, records
from wengert.data.checksums import DataFile


@dataclass(frozen=True)
class KnownDataSet:
    """A line of the registry. ``loader(name, files, **options)`` reads it."""

    name: str
    title: str
    files: tuple[DataFile, ...]
    licence: str
    citation: str
    loader: Callable[..., Any]


def load(name: str, **options: Any) -> Any:
    """A known data set, by its name in `available`.

    Its files come from the folder that the environment variable ``WENGERT_DATA`` names, else from the user's
    cache, else from the network into that cache; each is checked against its sha256 before it is read.

    - ``fashion-mnist``, ``mnist``: an `ImageSet`; ``flat=False`` gives (N, 1, 28, 28) instead of (N, 784).
    - ``dry-beans``: a `TableSet`.
    - ``names``: a list of first names.
    - ``age-regression``: an `ImageSet` with ages as targets, generated where the real files cannot be had;
      ``generated=True`` or ``False`` decides it.
    - ``descent-sequence``: a `DescentSequence`, regenerated where its file cannot be had.

    Raises ValueError for an unknown name, CorruptedFile for a file that is not the original, and MissingData
    for one that cannot be had.

    >>> load("mnits")
    Traceback (most recent call last):
        ...
    ValueError: no data set is called 'mnits'; did you mean 'mnist'? There are age-regression, ...
    """
    known = describe(name)
    return known.loader(known.name, known.files, **options)


def available() -> list[str]:
    """The names that `load` takes.

    >>> available()
    ['age-regression', 'descent-sequence', 'dry-beans', 'fashion-mnist', 'mnist', 'names']
    """
    return sorted(DATA_SETS)


def describe(name: str) -> KnownDataSet:
    """What the registry says of a data set: title, files, licence, citation. Raises ValueError as `load`."""
    if name not in DATA_SETS:
        near = difflib.get_close_matches(str(name), DATA_SETS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise ValueError(f"no data set is called {name!r}{hint} There are {', '.join(available())}")
    return DATA_SETS[name]


def _idx_files(
    folder: str, hosts: tuple[str, ...], contents: tuple[tuple[int, str], ...]
) -> tuple[DataFile, ...]:
    names = (
        f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
    )
    return tuple(
        DataFile(folder, name, sha256, size, tuple(host + name for host in hosts))
        for name, (size, sha256) in zip(names, contents, strict=True)
    )


_FASHION = _idx_files(
    "fashion-mnist",
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    (
        (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
)
_FASHION_CLASSES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
_MNIST = _idx_files(
    "mnist",
    ("https://ossci-datasets.s3.amazonaws.com/mnist/",),
    (
        (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
)
_BEANS = (
    DataFile(
        "dry-bean",
        "Dry_Bean_Dataset.csv",  # the official file's table as text, which is read thirty times faster
        "a427b53eafd5bf50af0798873311f2103c46d0576371dae8fa6c4853480bf3ca",
        3_814_125,
    ),
    DataFile(
        "dry-bean",
        "Dry_Bean_Dataset.xlsx",
        "b285aaa4f24258a5358f26841fd47005922878f7ff2d803e84c050383c08eb00",
        3_035_169,
        ("https://archive.ics.uci.edu/static/public/602/dry+bean+dataset.zip",),
    ),
)
_NAMES = (
    DataFile(
        "names",
        "names.txt",
        "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
        228_145,
        ("https://raw.githubusercontent.com/karpathy/makemore/master/names.txt",),
    ),
)
_FACES = tuple(
    DataFile(
        "age-regression",
        f"age_regression_{part}.npy",
        sha256,
        size,
        (f"https://s3.amazonaws.com/jrwprojects/age_regression_{part}.npy",),
    )
    for part, size, sha256 in (
        ("Xtr", 46_080_128, "1b36355263268eb4a00032854887377a54f91e83398c28345880e1214f6273ef"),
        ("ytr", None, "209508d19f3b9e298d377eaed0c510375eb2487c0c887351672e5db22e80615f"),
        ("Xte", None, "a95e8d61e96b388155a146bcf3cf858a5c8e391bf4d473d3fec4be3f95ed93e6"),
        ("yte", None, "8b74c79ee44a550aa337bbc4d1d2a37486f41f69b32b01efa9bc6a92864b8d23"),
    )
)
_DESCENT = (
    DataFile(
        "descent",
        "gradient_descent_sequence.txt",
        "51028970243fa467ad391f1042bf4448d1eea38511aecdede1993af09ff9dea1",
        4_361,
    ),
)

DATA_SETS = {
    known.name: known
    for known in (
        KnownDataSet(
            "fashion-mnist",
            "Fashion-MNIST: 70,000 images of clothes in 10 classes",
            _FASHION,
            "MIT",
            "Xiao, Rasul and Vollgraf 2017, Fashion-MNIST: a novel image dataset for benchmarking machine "
            "learning algorithms",
            functools.partial(images.load_images, classes=_FASHION_CLASSES),
        ),
        KnownDataSet(
            "mnist",
            "MNIST: 70,000 images of handwritten digits",
            _MNIST,
            "of the authors",
            "LeCun, Cortes and Burges 1998, The MNIST database of handwritten digits",
            functools.partial(images.load_images, classes=tuple("0123456789")),
        ),
        KnownDataSet(
            "dry-beans",
            "Dry beans: 13,611 beans of 7 varieties, 16 measures of each",
            _BEANS,
            "CC BY 4.0",
            "Koklu and Ozkan 2020, Multiclass classification of dry beans using computer vision and machine "
            "learning techniques, Computers and Electronics in Agriculture 174, 105507",
            functools.partial(records.load_table, target="Class"),
        ),
        KnownDataSet(
            "names",
            "Names: 32,033 first names",
            _NAMES,
            "MIT",
            "Karpathy 2022, makemore",
            records.load_lines,
        ),
        KnownDataSet(
            "age-regression",
            "Age regression: 7,500 faces of 48×48 pixels and their ages",
            _FACES,
            "not stated",
            "Whitehill, DS 541 Deep Learning, homework 1",
            faces.load_faces,
        ),
        KnownDataSet(
            "descent-sequence",
            "Descent sequence: 201 points of a gradient descent in the plane",
            _DESCENT,
            "not stated",
            "Whitehill, DS 541 Deep Learning, homework 1",
            descents.load_descent,
        ),
    )
}
