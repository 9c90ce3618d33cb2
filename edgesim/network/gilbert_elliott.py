"""The two-state chain of Gilbert (1960) and Elliott (1963): good and bad steps, in bursts.

p = P(good -> bad), r = P(bad -> good).  A share p / (p + r) of the steps is bad, a burst of bad steps lasts 1 / r of
them on average, a good one 1 / p, and the autocorrelation at k steps is (1 - p - r)^k.  A step is a packet where the
chain says which are lost, or a time where it says how fast a link is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from edgesim.errors import InputError
from edgesim.network.markov_chain import ChainPath, MarkovChain

GOOD, BAD = 0, 1


@dataclass(frozen=True)
class GilbertElliott:
    """to_bad: p, to_good: r, each in (0, 1]; raises InputError where they are not.

    >>> law = GilbertElliott(to_bad=0.02, to_good=0.2)
    >>> round(law.bad_share, 4), law.mean_burst, round(law.correlation, 2)
    (0.0909, 5.0, 0.78)
    """

    to_bad: float
    to_good: float

    def __post_init__(self) -> None:
        for name, value in (("p (good to bad)", self.to_bad), ("r (bad to good)", self.to_good)):
            if not 0 < value <= 1:
                raise InputError(f"gilbert_elliott: {name} must be above 0 and at most 1, found {value}")

    @classmethod
    def of_bursts(cls, bad_share: float, mean_burst: float) -> GilbertElliott:
        """By the share of bad steps and the mean length of a burst of them, in steps.

        Raises InputError where no chain has both: a burst lasts a step at least, and so does what is between bursts.
        """
        if not (0 < bad_share < 1 and mean_burst >= 1 and bad_share <= (1 - bad_share) * mean_burst):
            raise InputError(
                f"gilbert_elliott: no chain has a share of {bad_share:.3g} bad steps in bursts of {mean_burst:.3g} on "
                "average: the share must lie between 0 and 1, and bursts and what is between them last a step at least"
            )
        return cls(bad_share / ((1 - bad_share) * mean_burst), 1 / mean_burst)

    @property
    def bad_share(self) -> float:
        return self.to_bad / (self.to_bad + self.to_good)

    @property
    def mean_burst(self) -> float:
        """Mean length of a burst of bad steps, in steps."""
        return 1 / self.to_good

    @property
    def correlation(self) -> float:
        """Autocorrelation from one step to the next."""
        return 1 - self.to_bad - self.to_good

    @cached_property
    def chain(self) -> MarkovChain:
        return MarkovChain(((1 - self.to_bad, self.to_bad), (self.to_good, 1 - self.to_good)))


class BurstPath:
    """Which of the steps 0, 1, ... are bad, keyed by (root seed, purpose, key); asked for in any order."""

    __slots__ = ("_path",)

    def __init__(self, law: GilbertElliott, root: int, purpose: str, *key: str | int):
        self._path = ChainPath(law.chain, root, purpose, *key)

    def bad(self, step: int) -> bool:
        return self._path.state(step) == BAD
