"""How a feature of sales is distributed over bins, and how far two such distributions are apart."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from math import log, nan

from attrs import field, frozen, validators

MISSING, OTHER = "missing", "other"
Counts = Sequence[int]
_COUNTS = validators.deep_iterable(validators.ge(0))


@frozen
class NumberBins:
    """How many sales are in each bin of a number: those below the first of the rising *edges*.

    Then those from each edge to below the next, and last, those whose value is not known.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...] = field(validator=_COUNTS)

    def __attrs_post_init__(self) -> None:
        if len(self.counts) != len(self.edges) + 2:
            raise ValueError(f"{len(self.edges)} edges do not have {len(self.counts)} bins")
        if not all(lower < upper for lower, upper in pairwise(self.edges)):
            raise ValueError("the edges do not rise")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the bins, as `under 45`, `45 to under 60`, `60 or more`."""
        told = [f"{edge:,.10g}".replace(",", " ") for edge in self.edges]
        if not told:
            return "all", MISSING
        inner = [f"{lower} to under {upper}" for lower, upper in pairwise(told)]
        return f"under {told[0]}", *inner, f"{told[-1]} or more", MISSING

    def distance(self, sold: Counts) -> float:
        """Kolmogorov and Smirnov's: the largest difference of the two distribution functions.

        Looked at where bins end; what is missing counts as larger than every number.
        """
        own, other = sum(self.counts), sum(sold)
        if not (own and other):
            return nan
        sums = zip(accumulate(self.counts), accumulate(sold), strict=True)
        return max(abs(theirs * own - mine * other) for mine, theirs in sums) / (own * other)


@frozen
class CategoryBins:
    """How many sales are of each of the *categories*, and last, of all others."""

    categories: tuple[str, ...]
    counts: tuple[int, ...] = field(validator=_COUNTS)

    def __attrs_post_init__(self) -> None:
        if len(self.counts) != len(self.categories) + 1:
            raise ValueError(f"{len(self.categories)} categories do not have so many counts")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the bins."""
        return *self.categories, OTHER

    def distance(self, sold: Counts) -> float:
        """Total variation: half the summed difference of the shares."""
        own, other = sum(self.counts), sum(sold)
        if not (own and other):
            return nan
        pairs = zip(self.counts, sold, strict=True)
        return sum(abs(theirs * own - mine * other) for mine, theirs in pairs) / (2 * own * other)


Bins = NumberBins | CategoryBins
Distributions = Mapping[str, Bins]
"""By feature."""


def psi(trained: Counts, sold: Counts) -> float:
    """The population stability index, less what chance alone makes of it; at least 0.

    The sum of (q - p) ln(q / p) over the bins (Siddiqi, Credit Risk Scorecards, 2006), half a sale
    added to each so that none is empty; bins that are empty in both do not count.
    """
    pairs = _used(trained, sold)
    own, other = sum(trained), sum(sold)
    if not (own and other):
        return nan
    half = len(pairs) / 2
    index = 0.0
    for mine, theirs in pairs:
        p, q = (mine + 0.5) / (own + half), (theirs + 0.5) / (other + half)
        index += (q - p) * log(q / p)
    return max(0.0, index - chance(trained, sold))


def chance(trained: Counts, sold: Counts) -> float:
    """About the mean of the index without any drift: (bins - 1) (1 / trained + 1 / sold).

    Yurdakul, Statistical Properties of Population Stability Index, 2018. NaN without a sale.
    """
    own, other = sum(trained), sum(sold)
    if not (own and other):
        return nan
    return (len(_used(trained, sold)) - 1) * (1 / own + 1 / other)


def _used(trained: Counts, sold: Counts) -> list[tuple[int, int]]:
    return [(mine, theirs) for mine, theirs in zip(trained, sold, strict=True) if mine or theirs]
