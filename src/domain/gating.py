"""The gate: whether a retrained model may take the active one's place."""

from collections.abc import Mapping
from enum import Enum
from math import isfinite
from typing import Any

from attrs import field, frozen, validators

from .appraisal import COVERAGE
from .evaluation import Comparison, Evaluation, Metrics

NO_INTERVALS = "no_intervals"
"""Why the coverage of a model's intervals is not looked at."""
FEWEST_BEFORE_HOLDOUT = 30
"""Sales without which a model of what came before the holdout says nothing."""


class Outcome(Enum):
    """What a rule said."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not_applicable"


@frozen
class Check:
    """One rule's outcome and the figures it rests on."""

    rule: str
    outcome: Outcome
    figures: Mapping[str, Any] = field(factory=dict)
    blocks_if_inconclusive: bool = True

    def blocks(self, accept_inconclusive: bool) -> bool:
        """Whether it keeps the model out."""
        if self.outcome is Outcome.INCONCLUSIVE:
            return self.blocks_if_inconclusive and not accept_inconclusive
        return self.outcome is Outcome.FAILED


@frozen
class Verdict:
    """What the gate decided, with every rule's outcome."""

    checks: tuple[Check, ...]
    accept_inconclusive: bool = False

    @property
    def passed(self) -> bool:
        """Whether no rule keeps the model out."""
        return not self.blocking

    @property
    def blocking(self) -> tuple[Check, ...]:
        """The checks that keep the model out."""
        return tuple(check for check in self.checks if check.blocks(self.accept_inconclusive))


class Incumbent(Enum):
    """Why a comparison with the active model does not apply."""

    NONE = "first_publication"
    STUB = "active_is_stub"
    REPLACED = "active_is_unreadable_and_replaced"


@frozen
class MaxDegradation:
    """A metric of the candidate may exceed the active model's by at most *limit*."""

    metric: str
    limit: float = field(validator=validators.ge(0))
    segment: str | None = None
    min_rows: int = 30

    @property
    def rule(self) -> str:
        """Its name, as `overall_mae`."""
        return f"{self.segment or 'overall'}_{self.metric}"

    def check(self, comparison: Comparison) -> Check:
        """Passed when candidate <= active * (1 + limit): 1,050,000 for 1,000,000 at 5 %."""
        candidate = comparison.candidate.segment(self.segment)
        active = comparison.active.segment(self.segment)
        n = min(_rows(candidate), _rows(active))
        figures: dict[str, Any] = {"n": n, "limit": self.limit}
        if n < self.min_rows:
            return self._check(Outcome.INCONCLUSIVE, figures | {"min_rows": self.min_rows})
        mine: Any = getattr(candidate, self.metric, None)
        theirs: Any = getattr(active, self.metric, None)
        figures |= {"candidate": mine, "active": theirs}
        if not _known(mine, theirs):
            return self._check(Outcome.FAILED, figures)
        figures["degradation"] = mine / theirs - 1 if theirs else None
        interval = comparison.interval(self.segment, self.metric)
        if interval is not None:
            figures["degradation_interval"] = [interval.lower, interval.upper]
        passed = mine <= theirs * (1 + self.limit)
        return self._check(Outcome.PASSED if passed else Outcome.FAILED, figures)

    def not_applicable(self, reason: Incumbent) -> Check:
        """There is nothing to compare with."""
        return self._check(Outcome.NOT_APPLICABLE, {"reason": reason.value, "limit": self.limit})

    def _check(self, outcome: Outcome, figures: Mapping[str, Any]) -> Check:
        return Check(self.rule, outcome, figures, blocks_if_inconclusive=self.segment is None)


@frozen
class KeepsCoverage:
    """Intervals hold about the share of sales that they are made to hold.

    The exact 95 % binomial interval of the share has to meet COVERAGE +- *tolerance*.
    """

    tolerance: float = field(validator=validators.ge(0))
    segment: str | None = None
    min_rows: int = 30

    @property
    def rule(self) -> str:
        """Its name, as `overall_coverage`."""
        return f"{self.segment or 'overall'}_coverage"

    def check(self, evaluation: Evaluation) -> Check:
        """Passed when 84.0 to 89.8 % is what the share of sales may be, at 90 +- 3."""
        metrics = evaluation.segment(self.segment)
        found = metrics.covered(COVERAGE) if metrics else None
        n = found.n if found else 0
        figures: dict[str, Any] = {"n": n, "wanted": COVERAGE, "tolerance": self.tolerance}
        if found is None or n < self.min_rows:
            return self._check(Outcome.INCONCLUSIVE, figures | {"min_rows": self.min_rows})
        figures |= {
            "covered": found.covered,
            "covered_interval": [found.lower, found.upper],
            "width": found.width,
        }
        held = found.meets(self.tolerance) and _known(found.width)
        return self._check(Outcome.PASSED if held else Outcome.FAILED, figures)

    def not_applicable(self) -> Check:
        """The model has no intervals."""
        return self._check(Outcome.NOT_APPLICABLE, {"reason": NO_INTERVALS})

    def _check(self, outcome: Outcome, figures: Mapping[str, Any]) -> Check:
        return Check(self.rule, outcome, figures, blocks_if_inconclusive=self.segment is None)


@frozen
class Measured:
    """A candidate and the naive baseline on the holdout; and the active model, if there is one."""

    candidate: Evaluation
    baseline: Evaluation
    comparison: Comparison | Incumbent


@frozen
class Evidence:
    """What the gate looks at; nothing is measured where there were too few rows."""

    rows: int
    holdout_rows: int
    measured: Measured | None = None


@frozen
class GatingPolicy:
    """The rules and their limits; limits are fractions, so 0.05 is 5 %."""

    min_rows: int = 500
    overall_limit: float = 0.05
    overall_wape_limit: float = 0.10
    enebolig_limit: float = 0.07
    enebolig_wape_limit: float = 0.12
    coverage_tolerance: float = 0.03
    segment_min_rows: int = 30
    tail_min_rows: int = 200
    accept_inconclusive: bool = False

    @property
    def degradations(self) -> tuple[MaxDegradation, ...]:
        """The comparisons with the active model."""
        few, tail = self.segment_min_rows, self.tail_min_rows
        return (
            *(MaxDegradation(m, self.overall_limit, None, few) for m in ("mae", "mdape", "p90")),
            MaxDegradation("wape", self.overall_wape_limit, None, few),
            *(MaxDegradation(m, self.enebolig_limit, "enebolig", few) for m in ("mae", "mdape")),
            MaxDegradation("p90", self.enebolig_limit, "enebolig", max(few, tail)),
            MaxDegradation("wape", self.enebolig_wape_limit, "enebolig", few),
        )

    def judge(self, evidence: Evidence) -> Verdict:
        """Every rule's outcome; without a candidate only that there were too few rows."""
        checks = [self._enough_rows(evidence)]
        if evidence.measured is not None:
            checks.append(self._beats_baseline(evidence.measured))
            checks += [_degradation(rule, evidence.measured) for rule in self.degradations]
            checks += self._coverage(evidence.measured.candidate)
        return Verdict(tuple(checks), self.accept_inconclusive)

    def _coverage(self, evaluation: Evaluation) -> list[Check]:
        """What its intervals hold, overall and in every type that was sold."""
        tolerance, tail = self.coverage_tolerance, max(self.segment_min_rows, self.tail_min_rows)
        if not evaluation.overall.coverage:
            return [KeepsCoverage(tolerance).not_applicable()]
        rules = [KeepsCoverage(tolerance, None, self.segment_min_rows)]
        rules += [KeepsCoverage(tolerance, name, tail) for name in evaluation.by_realestate_type]
        return [rule.check(evaluation) for rule in rules]

    def _enough_rows(self, evidence: Evidence) -> Check:
        before = evidence.rows - evidence.holdout_rows
        figures = {
            "rows": evidence.rows,
            "min_rows": self.min_rows,
            "holdout_rows": evidence.holdout_rows,
            "rows_before": before,
            "min_rows_before": FEWEST_BEFORE_HOLDOUT,
        }
        enough = (
            evidence.rows >= self.min_rows
            and evidence.holdout_rows > 0
            and before >= FEWEST_BEFORE_HOLDOUT
        )
        return Check("enough_rows", Outcome.PASSED if enough else Outcome.FAILED, figures)

    def _beats_baseline(self, measured: Measured) -> Check:
        candidate, baseline = measured.candidate.overall, measured.baseline.overall
        n = min(candidate.n, baseline.n)
        if n < self.segment_min_rows:
            few = {"n": n, "min_rows": self.segment_min_rows}
            return Check("beats_baseline", Outcome.INCONCLUSIVE, few)
        beaten = _known(candidate.mae, baseline.mae) and candidate.mae < baseline.mae
        outcome = Outcome.PASSED if beaten else Outcome.FAILED
        figures = {"n": n, "candidate": candidate.mae, "baseline": baseline.mae}
        return Check("beats_baseline", outcome, figures)


def _degradation(rule: MaxDegradation, measured: Measured) -> Check:
    if isinstance(measured.comparison, Incumbent):
        return rule.not_applicable(measured.comparison)
    return rule.check(measured.comparison)


def _rows(metrics: Metrics | None) -> int:
    return 0 if metrics is None else metrics.n


def _known(*figures: float | None) -> bool:
    return all(figure is not None and isfinite(figure) for figure in figures)
