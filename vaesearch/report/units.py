"""How the numbers of a search are written for a person.

Inside, rewards are "higher is better"; people read bits/dim, where lower is better. Every view
goes through :class:`Scale`, so that no two of them disagree about a sign or a digit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from vaesearch.search.state import SearchState

NONE = "-"  # stands where there is no number


@dataclass(frozen=True)
class Scale:
    """One reward as people read it.

    Attributes:
        metric: the validation or test metric that the reward is made from.
        name: for a heading.
        unit: for the end of a number.
        sign: what turns a reward into the figure that is shown, and back: +1 or -1.
        digits: decimals shown.
    """

    metric: str
    name: str
    unit: str
    sign: int
    digits: int

    @property
    def direction(self) -> str:
        """Which way is better."""
        return "lower is better" if self.sign < 0 else "higher is better"

    def write(self, figure: float | None) -> str:
        """A figure (bits/dim or nats) in digits; ``-`` where there is none or it is no number."""
        if figure is None or not math.isfinite(figure):
            return NONE
        return f"{figure:.{self.digits}f}" if abs(figure) < 1e6 else f"{figure:.2e}"

    def write_reward(self, reward: float | None) -> str:
        """A reward as the figure that people read."""
        return self.write(None if reward is None else self.sign * reward)


SCALES = {
    scale.metric: scale
    for scale in (
        Scale("bpd", "bits/dim", "bits/dim", -1, 3),
        Scale("elbo", "ELBO in nats", "nats", 1, 1),
        Scale("reconstruction", "reconstruction in nats", "nats", 1, 1),
    )
}


def scale_of(state: SearchState) -> Scale:
    """The scale of what the search compares its arms by."""
    return SCALES[state.config.get("reward", "bpd")]


def write_seconds(seconds: float | None) -> str:
    """Seconds with about two digits that matter; ``-`` where there are none.

    >>> write_seconds(0.0512), write_seconds(1.84), write_seconds(312.4)
    ('0.05', '1.8', '312')
    """
    if seconds is None or not math.isfinite(seconds):
        return NONE
    decimals = 2 if seconds < 1 else 1 if seconds < 100 else 0
    return f"{seconds:.{decimals}f}"


def write_clock(seconds: float) -> str:
    """A span as on a stopwatch.

    >>> write_clock(75), write_clock(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def one_line(text: str) -> str:
    """The same words without line breaks: an error of a worker may carry its whole traceback."""
    return " ".join(text.split())


def robust_floor(rewards: Sequence[float]) -> float:
    """Where a picture of ``rewards`` may end at the bottom so that all but outliers fit.

    A first epoch is often worse than the rest by orders of magnitude and would flatten the curve.
    Nothing lies further below the median than twice as far as the best lies above it.

    >>> robust_floor([1.0, 2.0, 3.0]), robust_floor([-1000.0, 1.0, 2.0])
    (1.0, -1.0)
    """
    middle = median(rewards)
    return max(min(rewards), middle - 2 * (max(rewards) - middle))
