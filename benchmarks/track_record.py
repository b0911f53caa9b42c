"""The track record on a CSV of real sales: retrained month by month, as time would have gone by."""

import argparse
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic, perf_counter

from attrs import define
from dependency_injector import providers

from ree.adapters.sandbox.csv_sales import read_sales
from ree.adapters.sandbox.replay import ReplayedMarket
from ree.adapters.sandbox.running import running
from ree.adapters.settings import Settings
from ree.application.retrain_period import RetrainRequest
from ree.container import Container
from ree.domain.turnover import Period, add_months
from ree.entrypoints.cli.track_report import show_track


@define
class Calendar:
    """The Clock port, on a day that is set."""

    today: date

    def now(self) -> datetime:
        """That day at three, a second later each time it is asked: a fetch comes before a move."""
        self._seconds += 1
        return datetime.combine(self.today, datetime.min.time(), UTC) + timedelta(
            hours=3, seconds=self._seconds
        )

    def monotonic(self) -> float:
        """Of the machine."""
        return monotonic()

    _seconds: int = 0


def replayed(data: Path, estimator: str, window: int, folder: Path) -> None:
    """Retrain after every month of the sales, and show what the versions then were worth."""
    sold = [sale.day for sale in read_sales(data)]
    first, clock = min(sold).replace(day=1), Calendar(min(sold))
    with running(ReplayedMarket.from_csv(data)) as sandbox:
        container = Container()
        container.clock.override(providers.Object(clock))
        container.settings.override(
            providers.Object(Settings(storage_path=folder, api_base_url=sandbox.base_url))
        )
        for month in Period(first, max(sold)).months():
            clock.today = add_months(month.start, 1)
            end = clock.today - timedelta(days=1)
            start = max(first, Period.of_months(window, end).start)
            began = perf_counter()
            run = container.retrain_period()(
                RetrainRequest(Period(start, end), "benchmark", recipe=estimator)
            )
            print(
                f"{clock.today}: {start} to {end}, {run.ending.value} as {run.model_version}, "
                f"{perf_counter() - began:.0f} s, of which {run.steps['track']:.1f} to score"
            )
            for check in run.verdict.blocking if run.verdict else ():
                print(f"  refused by {check.rule}: {dict(check.figures)}")
        container.market().close()
        print()
        show_track(container.track_log().months())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="as `ree sandbox serve --data` takes it")
    parser.add_argument("--estimator", default="fast")
    parser.add_argument("--window-months", type=int, default=12)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        replayed(asked.data, asked.estimator, asked.window_months, Path(temporary))
