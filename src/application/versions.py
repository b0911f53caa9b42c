"""Looking after versions: which there are, which is active, and going back."""

from collections.abc import Mapping

from attrs import frozen

from ..domain.errors import AlreadyBootstrapped, NothingToRollBack
from ..domain.model import (
    Activation,
    Kind,
    ModelVersion,
    Recipe,
    TrainingRecord,
    line_of_succession,
)
from ..domain.ports import ModelRegistry, Trainer


@frozen
class Activate:
    """Make a version the active one, by hand."""

    registry: ModelRegistry

    def __call__(self, version: str, *, by: str, why: str) -> Activation:
        """UnknownVersion, RejectedVersion, UnreadableVersion, ActivationConflict, StorageError."""
        active = self.registry.active()
        return self.registry.activate(
            version, expected=active.version if active else None, by=by, why=why
        )


@frozen
class RollBack:
    """Go back to the version that was active before the active one was."""

    registry: ModelRegistry

    def __call__(self, *, by: str, why: str) -> Activation:
        """NothingToRollBack, UnreadableVersion, ActivationConflict, StorageError."""
        line = line_of_succession(self.registry.history())
        if len(line) < 2:
            raise NothingToRollBack
        previous, active = line[-2:]
        return self.registry.activate(previous, expected=active, by=by, why=why)


@frozen
class Bootstrap:
    """Publish a stub where there is nothing, so that a service can start."""

    registry: ModelRegistry
    trainer: Trainer
    environment: Mapping[str, str]

    def __call__(self, *, by: str) -> ModelVersion:
        """AlreadyBootstrapped if anything is active; ActivationConflict, StorageError."""
        active = self.registry.active()
        if active is not None:
            raise AlreadyBootstrapped(active.version)
        stub = self.trainer.stub()
        record = TrainingRecord(Kind.STUB, Recipe("stub"), self.environment)
        version = self.registry.publish(stub, record)
        self.registry.activate(version.version, expected=None, by=by, why="bootstrap")
        return version
