"""Table 1 of Cremer, Li & Duvenaud 2018, in nats, and what they say of it."""

from dataclasses import dataclass

Column = tuple[str, str]  # encoder and posterior

ROWS = ("log_p", "flow", "ffg", "elbo", "approximation", "amortisation", "gap")
COLUMNS: tuple[Column, ...] = (
    ("regular", "FFG"),
    ("regular", "Flow"),
    ("large", "FFG"),
    ("large", "Flow"),
    ("no annealing", "FFG"),
    ("no annealing", "Flow"),
)
_TABLE = {
    "mnist": """
        -89.85 -88.82 -89.09 -88.59 -89.84 -89.41
        -90.83 -90.40 -90.05 -90.26 -90.89 -90.78
        -91.19 -102.88 -90.34 -103.53 -91.02 -92.34
        -92.76 -91.42 -91.12 -91.25 -94.31 -94.29
        1.34 1.58 1.25 1.67 1.18 1.37
        1.57 1.02 0.78 0.99 3.29 3.51
        2.91 2.60 2.03 2.66 4.47 4.88
    """,
    "fashionmnist": """
        -97.78 -97.35 -94.55 -96.16 -100.56 -100.33
        -98.03 -97.74 -95.93 -96.87 -100.74 -100.61
        -99.03 -130.90 -98.09 -129.24 -101.26 -102.80
        -103.20 -102.19 -101.28 -100.60 -103.63 -104.05
        1.25 0.39 3.54 0.71 0.70 0.28
        4.17 4.45 3.19 3.73 2.37 3.44
        5.42 4.84 6.73 4.44 3.07 3.72
    """,
}


# L[q*_Flow] - L[q*_FFG] is how far the true posteriors are from diagonal Gaussians.
FIGURES = (*ROWS, "flexibility")


@dataclass(frozen=True)
class Side:
    """A figure of a column."""

    column: Column
    figure: str


@dataclass(frozen=True)
class Claim:
    """That one figure is above another.

    Attributes:
        words: of the paper's finding, in our own.
        larger, smaller: the figures.
    """

    words: str
    larger: Side
    smaller: Side


def _claim(words: str, figure: str, larger: str, smaller: str) -> Claim:
    """Of one figure in two columns, such as ``regular FFG``."""
    columns = [
        Side((name[: name.rindex(" ")], name[name.rindex(" ") + 1 :]), figure)
        for name in (larger, smaller)
    ]
    return Claim(words, *columns)


CLAIMS = (
    Claim(
        "amortisation costs more than approximation (regular, FFG)",
        Side(("regular", "FFG"), "amortisation"),
        Side(("regular", "FFG"), "approximation"),
    ),
    _claim(
        "trained with Flow, posteriors are farther from Gaussians (regular)",
        "flexibility", "regular Flow", "regular FFG",
    ),
    _claim(
        "trained with Flow, posteriors are farther from Gaussians (large)",
        "flexibility", "large Flow", "large FFG",
    ),
    _claim(
        "so they are with annealing than without (Flow)",
        "flexibility", "regular Flow", "no annealing Flow",
    ),
    _claim(
        "so they are with annealing than without (FFG)",
        "flexibility", "regular FFG", "no annealing FFG",
    ),
    _claim(
        "without annealing amortisation costs more (FFG)",
        "amortisation", "no annealing FFG", "regular FFG",
    ),
    _claim(
        "without annealing amortisation costs more (Flow)",
        "amortisation", "no annealing Flow", "regular Flow",
    ),
    _claim(
        "without annealing approximation costs less (FFG)",
        "approximation", "regular FFG", "no annealing FFG",
    ),
    _claim(
        "the large encoder lowers the cost of amortisation (FFG)",
        "amortisation", "regular FFG", "large FFG",
    ),
    _claim(
        "the large encoder lowers the cost of amortisation (Flow)",
        "amortisation", "regular Flow", "large Flow",
    ),
)  # fmt: skip


def published(dataset: str) -> dict[Column, dict[str, float]]:
    """The paper's figures by column: those of the table, and ``flexibility``."""
    text = _TABLE[dataset].strip().split("\n")
    lines = [[float(cell) for cell in line.split()] for line in text]
    found = {}
    for place, column in enumerate(COLUMNS):
        values = {name: line[place] for name, line in zip(ROWS, lines, strict=True)}
        found[column] = values | {"flexibility": values["flow"] - values["ffg"]}
    return found
