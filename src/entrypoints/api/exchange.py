"""What is known of a request besides what Flask knows."""

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

from attrs import define, field

from .metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@define(eq=False)
class Exchange:
    """One request and its answer, filled in while it is answered; `g.exchange` in views."""

    environ: "WSGIEnvironment"
    request_id: str
    metrics: Metrics
    client: str | None = None
    """The name of the client whose key was sent."""
    properties: int | None = None
    """How many were asked about."""
    timings: list[tuple[str, float]] = field(factory=list)
    """What took how many seconds, in order; `g.timings` in views."""
    headers: list[tuple[str, str]] = field(factory=list)
    """That the answer gets, whatever it will be."""
    route: str = "unmatched"
    status: int = 500
    size: str = "0"
    """Bytes of the body."""

    def priced(
        self,
        asked: int,
        refused: Iterable[str],
        path: str,
        warned: Iterable[Sequence[str]] = (),
    ) -> None:
        """Count a batch that is answered; *refused* has one code a property that is not priced.

        *path* is how its body was decoded: `fast` or `complete`. *warned* are the warnings of each
        property that is priced.
        """
        self.properties = asked
        self.metrics.priced(asked, refused, path, warned)

    def refused(self, asked: int, codes: Iterable[str], path: str) -> None:
        """Count a batch that is refused as a whole, with one code a property at fault."""
        self.properties = asked
        self.metrics.refused(asked, codes, path)


CURRENT: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
"""The one that is being answered."""
