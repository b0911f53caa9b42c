"""The real time."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The Clock port over the system's clocks."""

    def now(self) -> datetime:
        """The moment, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from some fixed point."""
        return time.monotonic()
