"""What can go wrong, in the domain's words. Every message is one line that says what to do."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .rules import Fault


class ReeError(Exception):
    """The root of every error that a user can be told about."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process gets it as it is, whatever its class takes to be made."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(kind: type[ReeError], args: tuple[Any, ...], known: dict[str, Any]) -> ReeError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(known)
    return error


class InvalidPeriod(ReeError):
    """A period that cannot be fetched or trained on."""


class MarketError(ReeError):
    """The market API is unreachable, refuses us, or answers what its contract does not allow."""


class MarketUnavailable(MarketError):
    """The market API cannot be asked now; that can pass by itself."""


class StorageError(ReeError):
    """The object storage failed; nothing is known about what it holds."""


class StorageUnavailable(StorageError):
    """The object storage cannot be asked now; that can pass by itself."""


class FunnelMismatch(ReeError):
    """A stage of the funnel lost or invented turnovers."""

    def __init__(self, stage: str, incoming: int, outgoing: int, dropped: int) -> None:
        super().__init__(
            f"The funnel does not add up at {stage}: {incoming} in, {outgoing} out, "
            f"{dropped} dropped. Nothing was trained; this is a defect, please report it."
        )


class UnknownVersion(ReeError):
    """No such version, or one that was never completed."""

    def __init__(self, version: str) -> None:
        super().__init__(f'No version {version!r}. "ree models list" shows what there is.')
        self.version = version


class RejectedVersion(ReeError):
    """The gate refused this version, so that it can never be activated."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f'The gate refused version {version}; it cannot be activated. "ree models show '
            f'{version}" tells why.'
        )
        self.version = version


class UnreadableVersion(ReeError):
    """A version whose objects are missing, damaged or of an unknown format."""

    def __init__(self, version: str, reason: str) -> None:
        super().__init__(
            f"Version {version} cannot be read: {reason.rstrip('.')}. Activate another with "
            '"ree models activate", or retrain with --replace-unreadable --why TEXT.'
        )
        self.version = version
        self.reason = reason


class ModelsDisagree(ReeError):
    """What would be served does not price as what was fitted."""

    def __init__(self, differing: int, of: int) -> None:
        super().__init__(
            f"The arrays that would be served price {differing} of {of} sales otherwise than the "
            "fitted model. Nothing was published; this is a defect, please report it."
        )


class NoDistributions(ReeError):
    """A version that tells nothing of how its training data are distributed."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"Version {version} keeps nothing of its training data to compare with: it is a stub, "
            "or older than that. Retrain."
        )


class NoDriftReport(ReeError):
    """Nobody has looked for drift yet."""

    def __init__(self, version: str) -> None:
        super().__init__(f'No drift report of version {version} yet. Run "ree drift".')


class NotReproducible(ReeError):
    """A version that was not trained on a dataset, so that there is nothing to train again on."""

    def __init__(self, version: str) -> None:
        super().__init__(f"Version {version} is a stub; it was not trained on any sales.")


class ActivationConflict(ReeError):
    """Somebody else moved the pointer first."""

    def __init__(self, expected: str | None, found: str | None) -> None:
        super().__init__(
            f"The active version is {found or 'none'}, not {expected or 'none'} as expected: "
            'somebody else moved it. Look with "ree models list" and try again.'
        )
        self.expected = expected
        self.found = found


class NothingToRollBack(ReeError):
    """There is no earlier activation to go back to."""

    def __init__(self) -> None:
        super().__init__('No earlier version was active. "ree models list" shows what there is.')


class AlreadyBootstrapped(ReeError):
    """A stub is published only where nothing is active."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"Version {version} is active; a stub is only for an empty registry. "
            'Use "ree models activate" to change the active version.'
        )


class UnknownRun(ReeError):
    """No retrain has this id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f'No run {run_id!r}. "ree runs list" shows what there is.')


class UnknownOrder(ReeError):
    """No retrain was asked for under this id."""

    def __init__(self, order_id: str) -> None:
        super().__init__(f"No order {order_id!r}; ask for the retrain again.")


class ModelNotReady(ReeError):
    """No verified model is loaded."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or 'No active model. Run "ree models bootstrap" or "ree retrain".')


class InvalidProperties(ReeError):
    """Properties that the rules refuse, with every fault of each."""

    def __init__(self, faults: Sequence[tuple[str, "Fault"]]) -> None:
        count = len({property_id for property_id, _ in faults})
        super().__init__(
            f"{count} {'property is' if count == 1 else 'properties are'} invalid; "
            'correct them, or ask for on_invalid "skip" to price the rest.'
        )
        self.faults = tuple(faults)


class BatchTooLarge(ReeError):
    """More properties than one request may hold."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} properties in one batch; at most {limit} are allowed. Split it.")


class EmptyBatch(ReeError):
    """A request without a property."""

    def __init__(self) -> None:
        super().__init__("The batch is empty; send at least one property.")


class FutureSale(ReeError):
    """A period that is not over yet."""

    def __init__(self, end: date, today: date) -> None:
        super().__init__(
            f"The period ends on {end}, which is not before today ({today}); "
            "sales still come in. Choose an earlier --end-date."
        )
