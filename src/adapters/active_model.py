"""The model that a service prices with, kept up to date in the background."""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Event, Lock, Thread

import structlog
from attrs import define, evolve, field, frozen

from ..domain.errors import ModelNotReady, ReeError, UnreadableVersion
from ..domain.model import Activation, LoadedModel
from ..domain.ports import Clock, ModelRegistry

SOON = 1.0
"""Seconds from look to look at most while there is no model at all."""
FIRST = 3.0
"""Seconds that a start waits for the first look, which a storage that hangs makes longer."""
_LOADING = "The model is still being loaded. Try again in a moment."


@define(eq=False)
class LatestModel:
    """The ActiveModel port: looks each time. For commands and embedders."""

    registry: ModelRegistry
    _loaded: LoadedModel | None = field(default=None, init=False)

    def current(self) -> LoadedModel:
        """The active version, loaded once; ModelNotReady, StorageError, UnreadableVersion."""
        active = self.registry.active()
        if active is None:
            raise ModelNotReady
        if self._loaded is None or self._loaded.version.version != active.version:
            self._loaded = self.registry.load(active.version)
        return self._loaded


@frozen
class Served:
    """A model and the move of the pointer that put it into use."""

    loaded: LoadedModel
    activation: Activation


@frozen
class Followed:
    """What looking at the pointer came to so far."""

    served: Served | None = None
    failures: int = 0
    """Looks that failed since the start."""
    failing_since: datetime | None = None
    reason: str | None = _LOADING
    """Why the last look failed, or why there is no model."""

    def in_use(self) -> Served:
        """What homes are priced with; ModelNotReady, which tells what kept it from being loaded."""
        if self.served is None:
            raise ModelNotReady(self.reason)
        return self.served


@frozen
class _Broken:
    activation: Activation
    reason: str
    tried_at: float


@define(eq=False)
class WatchedModel:
    """The ActiveModel port: follows the pointer from a thread, so that no request waits.

    A move of the pointer is followed within *refresh_seconds*. Whatever fails, the last good model
    stays. One thread a process: a fork starts its own.
    """

    registry: ModelRegistry
    refresh_seconds: float
    clock: Clock
    watchers: list[Callable[[Followed], None]] = field(factory=list, init=False)
    """Told what every look came to."""
    _preloaded: LoadedModel | None = field(default=None, init=False)
    _state: Followed = field(factory=Followed, init=False)  # replaced as a whole, never changed
    _told: set[str] = field(factory=set, init=False)
    _broken: _Broken | None = field(default=None, init=False)
    _pid: int | None = field(default=None, init=False)
    _starting: Lock = field(factory=Lock, init=False)
    _looking: Lock = field(factory=Lock, init=False)
    _looked: Event = field(factory=Event, init=False)
    _stopped: Event = field(factory=Event, init=False)

    def current(self) -> LoadedModel:
        """The model in use; ModelNotReady."""
        return self.state().in_use().loaded

    def state(self) -> Followed:
        """What is served and how following the pointer goes, all of one moment."""
        self.start()
        return self._state

    def preload(self, registry: ModelRegistry) -> None:
        """Load what is active before a fork, so that processes share its memory.

        By a registry of its own: a fork must not share connections. Whatever fails or takes longer
        than FIRST is left to the processes, each of which looks at the pointer itself.
        """

        def load() -> None:
            with suppress(Exception):
                active = registry.active()
                if active is not None:
                    self._preloaded = registry.load(active.version)

        thread = Thread(target=load, name="ree-preload", daemon=True)
        thread.start()
        thread.join(FIRST)

    def start(self) -> None:
        """Load the model and follow the pointer, unless this process does already."""
        if self._pid == os.getpid():
            return
        with self._starting:
            if self._pid == os.getpid():
                return
            # A fork may have left the old ones held by a thread that it has not.
            self._looking, self._looked, self._stopped = Lock(), Event(), Event()
            Thread(target=self._follow, name="ree-model", daemon=True).start()
            self._looked.wait(FIRST)
            self._pid = os.getpid()

    def stop(self) -> None:
        """Let the thread end."""
        self._stopped.set()

    def look(self) -> None:
        """See which version is active now, and load it if it is another one."""
        with self._looking:
            try:
                served = self._active()
            except Exception as error:
                self._failed(error)
            else:
                self._took(served)
            for tell in self.watchers:
                tell(self._state)
            self._looked.set()

    def _follow(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            began = self.clock.monotonic()
            self.look()
            pause = max(0.0, self._period() - (self.clock.monotonic() - began))

    def _period(self) -> float:
        """Half of an interval, so that the other half is left for loading."""
        period = self.refresh_seconds / 2
        return period if self._state.served else min(SOON, period)

    def _active(self) -> Served:
        served, activation = self._state.served, self.registry.active()
        if activation is None:
            raise ModelNotReady
        if served is not None and served.loaded.version.version == activation.version:
            return evolve(served, activation=activation)
        return Served(self._load(activation), activation)

    def _load(self, activation: Activation) -> LoadedModel:
        """A version that cannot be read is read again only after an interval."""
        ready = self._preloaded
        if ready is not None and ready.version.version == activation.version:
            return ready
        broken, now = self._broken, self.clock.monotonic()
        if (
            broken is not None
            and broken.activation == activation
            and now - broken.tried_at < self.refresh_seconds
        ):
            raise UnreadableVersion(activation.version, broken.reason)
        try:
            return self.registry.load(activation.version)
        except UnreadableVersion as error:
            self._broken = _Broken(activation, error.reason, now)
            raise

    def _took(self, served: Served) -> None:
        before, log = self._state, structlog.get_logger()
        self._state = Followed(served, before.failures, reason=None)
        self._told.clear()
        version = served.loaded.version.version
        if before.served is None or before.served.loaded is not served.loaded:
            log.info("model_loaded", model_version=version, sequence=served.activation.sequence)
        if before.failing_since is not None:
            since = before.failing_since.isoformat()
            log.info("model_refreshed_again", model_version=version, failing_since=since)

    def _failed(self, error: Exception) -> None:
        """That nothing was activated yet is no failure."""
        before, foreseen = self._state, isinstance(error, ReeError)
        reason = str(error) if foreseen else f"{type(error).__name__}; the service's log has more."
        if isinstance(error, ModelNotReady) and before.served is None:
            self._state = evolve(before, failing_since=None, reason=reason)
        else:
            since = before.failing_since or self.clock.now()
            self._state = Followed(before.served, before.failures + 1, since, reason)
        if repr(error) not in self._told:
            self._told.add(repr(error))
            served = before.served and before.served.loaded.version.version
            log = structlog.get_logger().bind(reason=reason, model_version=served)
            if foreseen:
                log.warning("model_not_refreshed")
            else:
                log.error("model_not_refreshed", exc_info=error)
