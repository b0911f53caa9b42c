"""The model that a service prices with, kept up to date in the background."""

import os
from threading import Event, Lock, Thread

import structlog
from attrs import define, field

from ..domain.errors import ModelNotReady, ReeError
from ..domain.model import LoadedModel
from ..domain.ports import ModelRegistry

SOON = 1.0
"""Seconds until the next look while there is no model at all."""


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


@define(eq=False)
class WatchedModel:
    """The ActiveModel port: follows the pointer from a thread, so that no request waits.

    Whatever fails, the last good model stays. One thread a process: a fork starts its own.
    """

    registry: ModelRegistry
    refresh_seconds: float
    _loaded: LoadedModel | None = field(default=None, init=False)
    _failure: ReeError | None = field(default=None, init=False)
    _pid: int | None = field(default=None, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _stopped: Event = field(factory=Event, init=False)

    def current(self) -> LoadedModel:
        """The model in use; ModelNotReady, whose cause is what kept it from being loaded."""
        self.start()
        loaded, failure = self._loaded, self._failure
        if loaded is not None:
            return loaded
        if failure is None or isinstance(failure, ModelNotReady):
            raise ModelNotReady
        raise ModelNotReady(str(failure)) from failure

    def start(self) -> None:
        """Load the model and follow the pointer, unless this process does already."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._stopped.clear()
            self.look()
            Thread(target=self._follow, name="ree-model", daemon=True).start()
            self._pid = os.getpid()

    def stop(self) -> None:
        """Let the thread end."""
        self._stopped.set()

    def look(self) -> None:
        """See which version is active now, and load it if it is another one."""
        try:
            active = self.registry.active()
            if active is None:
                raise ModelNotReady
            if self._loaded is None or self._loaded.version.version != active.version:
                self._loaded = self.registry.load(active.version)
                structlog.get_logger().info("model_loaded", version=active.version)
            self._failure = None
        except ReeError as error:
            if str(error) != str(self._failure):
                structlog.get_logger().warning("model_not_refreshed", reason=str(error))
            self._failure = error

    def _follow(self) -> None:
        soon = min(SOON, self.refresh_seconds)
        while not self._stopped.wait(self.refresh_seconds if self._loaded else soon):
            try:
                self.look()
            except Exception:
                structlog.get_logger().exception("model_not_refreshed")
