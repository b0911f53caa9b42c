"""The track record in object storage: an object a version and fetch of a month."""

from collections.abc import Iterator, Sequence

from attrs import Factory, field, frozen

from ..domain.track_record import TrackedMonth
from ..domain.turnover import Period
from ..domain.verification import Finding
from .objects import ObjectStore
from .records import Records
from .seal import Seal

TRACK = "track_record/"


@frozen
class ObjectTrackLog:
    """The TrackLog port."""

    objects: ObjectStore
    seal: Seal = field(factory=Seal)
    _records: Records[TrackedMonth] = field(
        default=Factory(
            lambda self: Records(self.objects, self.seal, TRACK, TrackedMonth, _key),
            takes_self=True,
        ),
        init=False,
    )

    def record(self, month: TrackedMonth) -> None:
        """Keep it; one that is there, of the same version and fetch, is left as it is."""
        self._records.create(month)

    def months(self) -> Sequence[TrackedMonth]:
        """Those that can be read, the newest month first; of a version's fetches of it the last."""
        last: dict[tuple[str, Period], TrackedMonth] = {}
        for month in sorted(self._records.readable(), key=lambda month: month.scored_at):
            last[month.version, month.month] = month
        return sorted(last.values(), key=lambda found: (found.month, found.scored_at), reverse=True)

    def verify(self) -> Iterator[Finding]:
        """Every month."""
        return self._records.verify()


def _key(month: TrackedMonth) -> str:
    fetch = f"{month.month.start:%Y-%m}-{month.snapshot_digest[:8]}"
    return f"{TRACK}{month.version}/{fetch}.json"
