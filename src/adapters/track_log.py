"""The track record in object storage: an object a version and fetch of a month."""

from collections.abc import Iterator, Sequence
from logging import getLogger

from attrs import define, field

from ..domain.errors import StorageError
from ..domain.track_record import TrackedMonth
from ..domain.turnover import Period
from ..domain.verification import Finding, Soundness
from . import codec
from .objects import ObjectExists, ObjectStore
from .runs import NotReadable
from .seal import Seal

TRACK = "track_record/"
_log = getLogger(__name__)


@define(eq=False)
class ObjectTrackLog:
    """The TrackLog port. What was read never changes and is kept: to look again is one listing."""

    objects: ObjectStore
    seal: Seal = field(factory=Seal)
    _kept: dict[str, TrackedMonth] = field(factory=dict, init=False)

    def record(self, month: TrackedMonth) -> None:
        """Keep it; one that is there, of the same version and fetch, is left as it is."""
        body = codec.to_json(self.seal.close(codec.plain(month)))
        try:
            self.objects.create(_key(month), body)
        except ObjectExists:
            return

    def months(self) -> Sequence[TrackedMonth]:
        """Those that can be read, the newest month first; of a version's fetches of it the last."""
        last: dict[tuple[str, Period], TrackedMonth] = {}
        for month in sorted(self._readable(), key=lambda month: month.scored_at):
            last[month.version, month.month] = month
        return sorted(last.values(), key=lambda found: (found.month, found.scored_at), reverse=True)

    def verify(self) -> Iterator[Finding]:
        """Every month, read again."""
        for key in self.objects.keys(TRACK):
            try:
                self._read(key)
            except NotReadable as error:
                yield Finding(key, Soundness.BROKEN, str(error))
            else:
                yield Finding(key)

    def _readable(self) -> Iterator[TrackedMonth]:
        for key in self.objects.keys(TRACK):
            if key not in self._kept:
                try:
                    self._kept[key] = self._read(key)
                except NotReadable as error:
                    _log.warning("%s", error)
                    continue
            yield self._kept[key]

    def _read(self, key: str) -> TrackedMonth:
        body = self.objects.get(key).body
        try:
            month = codec.structured(self.seal.open(body, key), TrackedMonth, key)
        except StorageError as error:
            raise NotReadable(str(error)) from error
        if _key(month) != key:
            raise NotReadable(f"The object {key} is that of {_key(month)}; move it away.")
        return month


def _key(month: TrackedMonth) -> str:
    fetch = f"{month.month.start:%Y-%m}-{month.snapshot_digest[:8]}"
    return f"{TRACK}{month.version}/{fetch}.json"
