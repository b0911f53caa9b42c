"""What serving has to reach, and whether it does: ratios, verdicts and the tables of them."""

from collections.abc import Iterable, Sequence
from statistics import median

from attrs import frozen

from serving_load import Cell

NOT_MEASURED = "not measured"


@frozen
class Bar:
    """A line of the table: what must be reached, and what is aimed at.

    *lower* says that less is better.
    """

    row: str
    what: str
    must: float | None
    aim: float | None
    unit: str = "x"
    lower: bool = False

    def verdict(self, measured: float | None) -> str:
        """In a word or two."""
        if measured is None:
            return NOT_MEASURED
        if self.must is None or self.aim is None:
            return "told"
        if self.lower:
            return self._of(measured <= self.aim, measured <= self.must)
        return self._of(measured >= self.aim, measured >= self.must)

    @staticmethod
    def _of(aim: bool, must: bool) -> str:
        return "aim" if aim else "must" if must else "MISSED"


Measured = tuple[Bar, float | None]


def medians(cells: Iterable[Cell]) -> list[Cell]:
    """One cell a server and batch, of the median of each figure over the rounds; failures added."""
    groups: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.server, cell.batch), []).append(cell)
    found = []
    for (server, batch), own in groups.items():
        seconds = median(cell.seconds for cell in own)
        requests = median(cell.rps for cell in own) * seconds
        found.append(
            Cell(
                server,
                batch,
                max(1, round(requests)),
                seconds,
                median(cell.p50_ms for cell in own),
                median(cell.p99_ms for cell in own),
                sum(cell.failed for cell in own),
                median(cell.cpu_ms for cell in own) / 1_000 * requests,
            )
        )
    return found


def ratio(
    rounds: Sequence[Sequence[Cell]], one: str, other: str, batch: int, *, cpu: bool = False
) -> float | None:
    """By how much *one* is better than *other*: the median of the rounds in which both were.

    Of requests a second, or with *cpu* of the CPU that a request costs.
    """
    found = []
    for cells in rounds:
        own = {cell.server: cell for cell in cells if cell.batch == batch}
        if one in own and other in own:
            a, b = own[one], own[other]
            found.append(b.cpu_ms / a.cpu_ms if cpu else a.rps / b.rps)
    return median(found) if found else None


def bars_table(measured: Iterable[Measured]) -> str:
    """The measured bars, one a line."""
    rows: list[Sequence[str]] = [("row", "what", "measured", "must", "aim", "verdict")]
    for bar, value in measured:
        shown = ["" if item is None else figure(item, bar.unit) for item in (bar.must, bar.aim)]
        rows.append(
            (
                bar.row,
                bar.what,
                "-" if value is None else figure(value, bar.unit),
                *shown,
                bar.verdict(value),
            )
        )
    return table(rows, left=2)


def cells_table(cells: Iterable[Cell]) -> str:
    """The loads, one a line."""
    rows: list[Sequence[str]] = [
        (
            "server", "batch", "requests/s", "p50 ms", "p99 ms", "CPU ms/request",
            "CPU us/property", "failed",
        )
    ]  # fmt: skip
    rows += [
        (
            cell.server,
            str(cell.batch),
            short(cell.rps),
            short(cell.p50_ms),
            short(cell.p99_ms),
            short(cell.cpu_ms),
            short(cell.cpu_us_property),
            str(cell.failed),
        )
        for cell in cells
    ]
    return table(rows, left=1)


def figure(value: float, unit: str) -> str:
    """A number with its unit."""
    return f"{short(value)} {unit}"


def short(value: float) -> str:
    """Three digits or all before the point."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def table(rows: Sequence[Sequence[str]], left: int) -> str:
    """Columns two spaces apart; the first *left* of them flush left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
