"""Retraining, and looking for drift, followed in the log.

Every step is a line, and the ids of the run are on every line meanwhile.
"""

from typing import TYPE_CHECKING

import structlog
from attrs import evolve

from ..application.retrain_period import RetrainRequest
from ..application.stopwatch import Unwitnessed
from ..domain.drift import DriftReport
from ..domain.errors import ModelNotReady, ReeError
from ..domain.model import ModelVersion, Status
from ..domain.run import Run, new_run_id
from ..domain.turnover import Period
from .logs import MODEL_VERSION, RUN_ID

if TYPE_CHECKING:
    from ..container import Container


def retrain(container: "Container", request: RetrainRequest, *, lines: bool = True) -> Run:
    """The run that was asked for; raises what `RetrainPeriod` does.

    Every step, and how the run ended, is a line in the log, though not without *lines*: that is for
    who shows the progress in another way. The run is named here if it has no name yet.
    """
    clock = container.clock()
    run_id = request.run_id or new_run_id(clock.now())
    named, about = RUN_ID.set(run_id), MODEL_VERSION.set(None)
    witness = _Lines() if lines else _Ids()
    began = clock.monotonic()
    try:
        witness.run_begun(request)
        run: Run = container.retrain_period()(evolve(request, run_id=run_id, witness=witness))
        MODEL_VERSION.set(run.model_version)
        witness.run_ended(run, clock.monotonic() - began)
        return run
    except BaseException as error:
        witness.run_failed(error, clock.monotonic() - began)
        raise
    finally:
        RUN_ID.reset(named)
        MODEL_VERSION.reset(about)


def look_for_drift(container: "Container", period: Period) -> DriftReport | None:
    """The report of a period and the version that is active now; None where there is none.

    Raises what `CheckDrift` does.
    """
    try:
        report: DriftReport = container.check_drift()(period)
    except ModelNotReady as error:  # the gate let no model through yet
        _log().info("drift_not_checked", reason=str(error))
        return None
    told = {"period": str(period), "verdict": report.verdict.value}
    _log().info("drift_checked", **told, model_version=report.version)
    return report


class _Ids(Unwitnessed):
    """What is logged once there is a version has its name."""

    def stored(self, version: ModelVersion) -> None:
        MODEL_VERSION.set(version.version)

    def run_begun(self, request: RetrainRequest) -> None: ...

    def run_ended(self, run: Run, seconds: float) -> None: ...

    def run_failed(self, error: BaseException, seconds: float) -> None: ...


class _Lines(_Ids):
    """A line for each thing that happens."""

    def begun(self, step: str, of: str) -> None:
        _log().info("step_begun", step=step, **_part(of))

    def ended(self, step: str, of: str, seconds: float, *, failed: bool) -> None:
        how = "failed" if failed else "done"
        _log().info("step_ended", step=step, **_part(of), outcome=how, seconds=round(seconds, 3))

    def stored(self, version: ModelVersion) -> None:
        super().stored(version)
        if version.status is Status.REJECTED:
            _log().info("version_rejected")
        else:
            _log().info("version_published")

    def run_begun(self, request: RetrainRequest) -> None:
        start, end = str(request.period.start), str(request.period.end)
        _log().info("run_begun", start_date=start, end_date=end, recipe=request.recipe)

    def run_ended(self, run: Run, seconds: float) -> None:
        earlier = {"earlier_run": run.run_id} if run.reused else {}
        _log().info(
            "run_ended",
            ending=run.ending.value,
            reused=run.reused,
            **earlier,
            seconds=round(seconds, 3),
        )

    def run_failed(self, error: BaseException, seconds: float) -> None:
        log = _log().bind(seconds=round(seconds, 3))
        if isinstance(error, ReeError):
            log.error("run_failed", error=type(error).__name__, reason=str(error))
        elif isinstance(error, Exception):
            log.error("run_failed", exc_info=error)
        else:
            log.warning("run_interrupted", error=type(error).__name__)


def _log() -> structlog.typing.FilteringBoundLogger:
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
    return log


def _part(of: str) -> dict[str, str]:
    return {"of": of} if of else {}
