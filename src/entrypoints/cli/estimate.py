"""`ree estimate`."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import define, field, frozen

from ...domain.appraisal import COVERAGE, COVERAGES
from ...domain.errors import ReeError
from ...domain.estimate import Home, OnInvalid, PriceEstimate, Refusal
from ...domain.model import LoadedModel
from ...domain.rules import Fault
from ...domain.turnover import day_in_oslo
from .commands import one_line
from .door import as_json, day_option, open_container, print_json
from .portfolio import Row, UnreadableFile, columns, file_name, read, record

if TYPE_CHECKING:
    from .writing import Write

LISTED = 20


class RefusedRows(ReeError):
    """Rows that cannot be valued, when none may be left out."""


@frozen
class OneModel:
    """The ActiveModel port: a file is priced by one version, whatever happens to the pointer."""

    loaded: LoadedModel

    def current(self) -> LoadedModel:
        return self.loaded


@define
class Tally:
    """What became of the rows."""

    rows: int = 0
    refused: int = 0
    warnings: Counter[str] = field(factory=Counter)
    errors: Counter[str] = field(factory=Counter)
    first: list[tuple[Row, Fault]] = field(factory=list)

    def count(self, rows: Sequence[Row], answers: Iterable[PriceEstimate | Refusal]) -> None:
        """Take in a batch."""
        for row, answer in zip(rows, answers, strict=True):
            self.rows += 1
            if isinstance(answer, PriceEstimate):
                self.warnings.update(answer.warnings)
                continue
            self.refused += 1
            self.errors.update(fault.code for fault in answer.faults)
            room = LISTED - len(self.first)
            self.first += [(row, fault) for fault in answer.faults[:room]]


@click.command(short_help="Estimate the homes of a file.")
@click.argument("file", type=file_name, metavar="FILE")
@click.option(
    "--output",
    type=file_name,
    metavar="FILE",
    required=True,
    help="Where to write; .csv, .parquet, .jsonl or .json.",
)
@day_option("--valuation-date", "Day of the valuation; default today.")
@click.option(
    "--coverage",
    type=click.Choice([str(coverage) for coverage in COVERAGES]),
    default=str(COVERAGE),
    show_default=True,
    help="The share of prices that the intervals (lower, upper) hold.",
)
@click.option(
    "--on-invalid",
    type=click.Choice([choice.value for choice in OnInvalid]),
    default=OnInvalid.SKIP.value,
    show_default=True,
    help="Leave out homes that cannot be valued, or write nothing.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Write what each estimate is made of, too: base, contributions and comparable sales.",
)
@as_json
def estimate(
    file: Path,
    output: Path,
    valuation_date: date | None,
    coverage: str,
    on_invalid: str,
    explain: bool,
    as_json: bool,
) -> None:
    """Estimate the homes of FILE (.csv, .parquet, .jsonl or .json), a row for each row, in order.

    Columns: property_id, the features of POST /estimate, and perhaps valuation_date. A .json file
    is the object that POST /estimate takes.
    """
    with file.open("rb"):
        if output.exists() and output.samefile(file):
            raise click.UsageError("--output is the file that is read; choose another.")
    container = open_container()
    batch = container.settings().max_batch
    loaded = container.latest_model().current()
    price = partial(
        container.estimate_batch(model=OneModel(loaded)), coverage=float(coverage), explain=explain
    )
    today = day_in_oslo(container.clock().now())
    tally = _estimated(
        read(file, batch),
        output,
        price,
        valuation_date or today,
        OnInvalid(on_invalid),
        explain=explain,
    )
    if not tally.rows:
        raise UnreadableFile(file, "", "expected at least one home, it has none")
    if tally.refused:
        click.echo(_left_out(tally), err=True)
    if as_json:
        print_json(_document(file, output, tally, loaded.version.version, valuation_date or today))
    else:
        from .words import number

        priced = tally.rows - tally.refused
        click.echo(f"{number(priced)} of {number(tally.rows)} homes estimated: {output}")
        click.echo(f"by version {loaded.version.version}")
        for code, count in tally.warnings.most_common():
            click.echo(f"  warning {code}: {number(count)}")


def _estimated(
    batches: Iterable[Sequence[Row]],
    output: Path,
    price: Callable[[Sequence[Home], OnInvalid], Sequence[PriceEstimate | Refusal]],
    default: date,
    on_invalid: OnInvalid,
    *,
    explain: bool,
) -> Tally:
    from .rendering import console
    from .words import number
    from .writing import written

    tally = Tally()
    with ExitStack() as stack:
        status = stack.enter_context(console(stderr=True).status("Estimating"))
        write: Write | None = None
        for rows in batches:
            write = write or stack.enter_context(written(output, columns(explain=explain)))
            answers = price([row.home(default) for row in rows], OnInvalid.SKIP)
            tally.count(rows, answers)
            status.update(f"Estimating, {number(tally.rows)} homes so far")
            write([record(answer, explain=explain) for answer in answers])
        if tally.refused and on_invalid is OnInvalid.FAIL:
            _list_faults(tally)
            raise RefusedRows(
                f"{number(tally.refused)} of {number(tally.rows)} homes cannot be valued; nothing "
                "was written. Correct them, or leave them out with --on-invalid skip."
            )
    return tally


def _left_out(tally: Tally) -> str:
    from .words import number

    codes = ", ".join(f"{code} {number(count)}" for code, count in tally.errors.most_common(5))
    more = ", …" if len(tally.errors) > 5 else ""
    return f"{number(tally.refused)} of {number(tally.rows)} homes refused: {codes}{more}."


def _list_faults(tally: Tally) -> None:
    for row, fault in tally.first:
        where = one_line(f"row {row.number}, {row.property_id}: {fault.field} {fault.message}")
        click.echo(f"  {where} ({fault.code})", err=True)
    if sum(tally.errors.values()) > LISTED:
        click.echo("  …", err=True)


def _document(file: Path, output: Path, tally: Tally, version: str, day: date) -> dict[str, Any]:
    return {
        "input": str(file),
        "output": str(output),
        "rows": tally.rows,
        "estimated": tally.rows - tally.refused,
        "refused": tally.refused,
        "errors": dict(sorted(tally.errors.items())),
        "warnings": dict(sorted(tally.warnings.items())),
        "model_version": version,
        "valuation_date": day.isoformat(),
    }
