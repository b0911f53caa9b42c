"""An object store that tells what its calls came to, and how long they took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import field, frozen

from ..domain.errors import StorageUnavailable
from ..domain.model import ConditionalWrites
from ..domain.ports import Clock
from .objects import ObjectExists, ObjectMissing, ObjectStore, StaleToken, Stored

Listener = Callable[[str, str, float], None]
"""Of an operation, its outcome, and its seconds; called in the thread that called the store."""
_OUTCOMES: tuple[tuple[type[Exception], str], ...] = (
    (ObjectMissing, "missing"),
    (ObjectExists, "exists"),
    (StaleToken, "stale"),
    (StorageUnavailable, "unavailable"),
)
FAILED = "failed"
READ = ("ok", "missing", "unavailable", FAILED)
OUTCOMES = {
    "get": READ,
    "get_if_changed": READ,
    "create": ("ok", "exists", "unavailable", FAILED),
    "replace": ("ok", "stale", "unavailable", FAILED),
    "keys": ("ok", "unavailable", FAILED),
}
"""What may come of each operation."""


@frozen(eq=False)
class StorageWatch:
    """Who wants to be told of calls; nobody at first."""

    _listeners: list[Listener] = field(factory=list, init=False)

    def listen(self, listener: Listener) -> None:
        """Tell it from now on, each call once however often it asks."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def __call__(self, operation: str, outcome: str, seconds: float) -> None:
        """Tell all of them."""
        for listener in self._listeners:
            listener(operation, outcome, seconds)


@frozen(eq=False)
class MeasuredObjects:
    """The ObjectStore seam around another one, which does the work."""

    inner: ObjectStore
    tell: Listener
    clock: Clock

    def get(self, key: str) -> Stored:
        """The object; ObjectMissing."""
        with self._told("get"):
            return self.inner.get(key)

    def get_if_changed(self, key: str, token: str) -> Stored | None:
        """The object, or None while *token* still stands for it; ObjectMissing."""
        with self._told("get_if_changed"):
            return self.inner.get_if_changed(key, token)

    def create(self, key: str, body: bytes) -> None:
        """Store under a new key; ObjectExists."""
        with self._told("create"):
            self.inner.create(key, body)

    def replace(self, key: str, body: bytes, *, token: str | None) -> None:
        """Store over what *token* stands for; StaleToken."""
        with self._told("replace"):
            self.inner.replace(key, body, token=token)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with *prefix*, sorted."""
        with self._told("keys"):
            return self.inner.keys(prefix)

    def conditional_writes(self) -> ConditionalWrites:
        """What the store's writes rest on; asked once, so that it is not told."""
        return self.inner.conditional_writes()

    @contextmanager
    def _told(self, operation: str) -> Iterator[None]:
        began, outcome = self.clock.monotonic(), "ok"
        try:
            yield
        except Exception as error:
            outcome = next((name for kind, name in _OUTCOMES if isinstance(error, kind)), FAILED)
            raise
        finally:
            self.tell(operation, outcome, self.clock.monotonic() - began)
