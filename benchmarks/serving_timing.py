"""What a server tells of its time: in a header and in a profile."""

import re
from collections.abc import Mapping

from attrs import frozen

_TIMED = re.compile(r"\s*([\w-]+)\s*(?:;[^,]*?)?;\s*dur=([0-9.]+)")
SERVER = "gunicorn, sockets, threads"


def server_timing(header: str) -> dict[str, float]:
    """Milliseconds by name, of a Server-Timing header."""
    found = {}
    for part in header.split(","):
        if told := _TIMED.match(part):
            found[told[1]] = float(told[2])
    return found


@frozen
class Layers:
    """CPU us a request by layer in the application, and of the whole server."""

    spent: Mapping[str, float]
    server: float | None = None

    def rows(self) -> list[tuple[str, str, str]]:
        """The largest first, with the share of the whole; what the application does not spend is
        the server's."""
        inside = sum(self.spent.values())
        whole = dict(self.spent)
        if self.server is not None:
            whole[SERVER] = max(0.0, self.server - inside)
        total = sum(whole.values())
        ordered = sorted(whole.items(), key=lambda item: -item[1])
        rows = [(name, f"{us:,.1f}", f"{us / total:.1%}") for name, us in ordered]
        return [*rows, ("all", f"{total:,.1f}", "100.0%")]
