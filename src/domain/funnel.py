"""Where turnovers went: at every stage, what came in equals what went out and what was dropped."""

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from .errors import FunnelMismatch


@frozen
class Stage:
    """One step of the pipeline, counted in turnovers; FunnelMismatch if it does not add up."""

    name: str
    incoming: int
    outgoing: int
    dropped: Mapping[str, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        lost = sum(self.dropped.values())
        if self.incoming != self.outgoing + lost or min(self.dropped.values(), default=0) < 0:
            raise FunnelMismatch(self.name, self.incoming, self.outgoing, lost)


@frozen
class Funnel:
    """The stages in order; each takes in what the one before let out."""

    stages: tuple[Stage, ...]

    def __attrs_post_init__(self) -> None:
        for before, after in zip(self.stages, self.stages[1:], strict=False):
            if after.incoming != before.outgoing:
                raise FunnelMismatch(after.name, before.outgoing, after.incoming, 0)

    @property
    def dropped(self) -> dict[str, int]:
        """All reasons with their counts, over all stages."""
        total: Counter[str] = Counter()
        for stage in self.stages:
            total.update(stage.dropped)
        return dict(sorted(total.items()))

    @classmethod
    def total(cls, funnels: Iterable["Funnel"]) -> "Funnel":
        """Funnels of the same stages, added up."""
        columns = zip(*(funnel.stages for funnel in funnels), strict=True)
        return cls(tuple(_add(stages) for stages in columns))


def _add(stages: tuple[Stage, ...]) -> Stage:
    dropped: Counter[str] = Counter()
    for stage in stages:
        dropped.update(stage.dropped)
    return Stage(
        stages[0].name,
        sum(stage.incoming for stage in stages),
        sum(stage.outgoing for stage in stages),
        dict(sorted(dropped.items())),
    )
