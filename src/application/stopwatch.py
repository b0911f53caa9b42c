"""How long each step of a run takes, and what is going on now."""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

from ..domain.ports import Clock, Progress


def unseen(step: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@define
class Stopwatch:
    """Adds up seconds by step name, and tells *progress* as each begins."""

    clock: Clock
    progress: Progress = unseen
    seconds: dict[str, float] = field(factory=dict)

    @contextmanager
    def step(self, name: str, number: int = 0, total: int = 1, of: str = "") -> Iterator[None]:
        """Time what is inside; *of* says which part of the step it is, as a month."""
        self.progress(f"{name} {of}".strip(), number, total)
        began = self.clock.monotonic()
        try:
            yield
        finally:
            took = self.clock.monotonic() - began
            self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 3)
