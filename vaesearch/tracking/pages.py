"""Addresses of MLflow's pages, relative to where its server is; free of MLflow."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

SEARCH_ID, ARM = "vaesearch.search_id", "vaesearch.arm"
MOST_COMPARED = 20  # runs on one page; more can be told apart neither by eye nor by an address


@dataclass(frozen=True)
class Pages:
    """Where a search is shown.

    Attributes:
        experiment, search: the ids of its experiment and of its parent run.
        search_id: of the search itself.
        arms: ids of the runs of its arms, best first.
    """

    experiment: str
    search: str
    search_id: str
    arms: tuple[str, ...]

    @property
    def parent(self) -> str:
        """The run of the search."""
        return f"#/experiments/{self.experiment}/runs/{self.search}"

    @property
    def listing(self) -> str:
        """All arms of the search as a flat list, best first, which "Select all" then selects.

        MLflow hides child runs below their parents as long as runs are sorted by time.
        """
        wanted = f"tags.`{SEARCH_ID}` = '{self.search_id}' and tags.`{ARM}` != ''"
        order = "metrics.`best/reward`"
        return (
            f"#/experiments/{self.experiment}/runs?searchFilter={quote(wanted, safe='')}"
            f"&orderByKey={quote(order, safe='')}&orderByAsc=false"
        )

    @property
    def comparison(self) -> str:
        """The best arms side by side, at most ``MOST_COMPARED``."""
        return compare_page(self.experiment, self.arms[:MOST_COMPARED])


def compare_page(experiment: str, runs: Sequence[str]) -> str:
    """The page that shows ``runs`` of an experiment side by side."""
    compact = (",", ":")
    chosen = quote(json.dumps(list(runs), separators=compact), safe="")
    of = quote(json.dumps([experiment], separators=compact), safe="")
    return f"#/compare-runs?runs={chosen}&experiments={of}"
