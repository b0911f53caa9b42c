"""How long each step of a run takes, and what is going on now."""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from ..domain.model import ModelVersion
from ..domain.ports import Clock, Progress, Witness


def unseen(step: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


class Unwitnessed:
    """A run that nobody follows."""

    def begun(self, step: str, of: str) -> None: ...

    def ended(self, step: str, of: str, seconds: float, *, failed: bool) -> None: ...

    def stored(self, version: ModelVersion) -> None: ...


UNWITNESSED = Unwitnessed()


@define
class Stopwatch:
    """Adds up seconds by step name, and tells who looks as each begins and ends."""

    clock: Clock
    progress: Progress = unseen
    witness: Witness = UNWITNESSED
    seconds: dict[str, float] = field(factory=dict)

    @contextmanager
    def step(self, name: str, number: int = 0, total: int = 1, of: str = "") -> Iterator[None]:
        """Time what is inside; *of* says which part of the step it is, as a month."""
        self.progress(f"{name} {of}".strip(), number, total)
        self.witness.begun(name, of)
        began = self.clock.monotonic()
        failed = True
        try:
            yield
            failed = False
        finally:
            took = self.clock.monotonic() - began
            self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 3)
            self.witness.ended(name, of, took, failed=failed)
