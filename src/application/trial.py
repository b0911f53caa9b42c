"""A candidate on trial: evaluated out of time, compared with the active model, judged."""

from datetime import date
from typing import Any

from attrs import evolve, frozen

from ..domain.appraisal import COVERAGES, Appraisal, listed
from ..domain.dataset import Dataset, holdout_start
from ..domain.errors import UnreadableVersion
from ..domain.evaluation import Comparison, Evaluation
from ..domain.gating import Evidence, GatingPolicy, Incumbent, Measured, Verdict
from ..domain.model import Kind, LoadedModel, PriceModel, Recipe
from ..domain.ports import Evaluator, ModelRegistry, Trainer
from ..domain.residuals import Driver, drivers
from ..domain.turnover import Period
from .stopwatch import Stopwatch

MOST_EXPLAINED = 200
"""Homes that tell what drives estimates."""


@frozen
class Champion:
    """The active version, which a candidate has to stand up to, or why it need not."""

    version: str | None
    standing: LoadedModel | Incumbent

    @property
    def trained_until(self) -> date | None:
        """The day of the newest sale that it was trained on."""
        if isinstance(self.standing, Incumbent):
            return None
        return self.standing.version.record.trained_until

    @classmethod
    def of(cls, registry: ModelRegistry, *, replace_unreadable: bool) -> "Champion":
        """StorageError; UnreadableVersion unless it may be replaced. Only no pointer is none."""
        active = registry.active()
        if active is None:
            return cls(None, Incumbent.NONE)
        try:
            loaded = registry.load(active.version)
        except UnreadableVersion:
            if not replace_unreadable:
                raise
            return cls(active.version, Incumbent.REPLACED)
        if loaded.version.record.kind is Kind.STUB:
            return cls(active.version, Incumbent.STUB)
        return cls(active.version, loaded)


@frozen
class Candidate:
    """A recipe as it was evaluated: trained on what came before the holdout, measured on it."""

    evidence: Evidence
    holdout: Dataset
    estimates: Any = None
    evaluation: Evaluation | None = None
    baseline: Evaluation | None = None
    digest: str | None = None


@frozen
class TryCandidate:
    """Train on what came before the holdout, measure on the holdout, and let the gate judge."""

    trainer: Trainer
    evaluator: Evaluator

    def evaluate(
        self,
        dataset: Dataset,
        period: Period,
        recipe: Recipe,
        policy: GatingPolicy,
        watch: Stopwatch,
    ) -> Candidate:
        """Measured, unless there are too few rows for that."""
        if not len(dataset):
            return Candidate(Evidence(rows=0, holdout_rows=0), dataset)
        late = dataset.columns["day"] >= holdout_start(dataset.columns["day"], period)
        before, holdout = dataset.where(~late), dataset.where(late)
        evidence = Evidence(rows=len(dataset), holdout_rows=len(holdout))
        if not policy.judge(evidence).passed:
            return Candidate(evidence, holdout)
        with watch.step("evaluate"):
            model = self.trainer.fit(before, recipe)
            appraisal = model.appraise(holdout.columns, COVERAGES)
            naive = self.trainer.baseline(before).appraise(holdout.columns, COVERAGES)
            evaluation = evolve(
                self.evaluator.evaluate(holdout, appraisal),
                residuals=self.evaluator.residuals(holdout, appraisal.price),
                drivers=_drivers(model, holdout, appraisal),
            )
            return Candidate(
                evidence,
                holdout,
                appraisal.price,
                evaluation,
                self.evaluator.evaluate(holdout, naive),
                model.digest,
            )

    def judge(
        self, candidate: Candidate, champion: Champion, policy: GatingPolicy, watch: Stopwatch
    ) -> Verdict:
        """The gate's verdict on it, beside a champion."""
        evaluation, baseline = candidate.evaluation, candidate.baseline
        if evaluation is None or baseline is None:
            return policy.judge(candidate.evidence)
        with watch.step("gate"):
            measured = Measured(evaluation, baseline, self._compare(candidate, champion))
            return policy.judge(evolve(candidate.evidence, measured=measured))

    def _compare(self, candidate: Candidate, champion: Champion) -> Comparison | Incumbent:
        """Like with like: both on the sales that are newer than all the active one knows."""
        if isinstance(champion.standing, Incumbent):
            return champion.standing
        active: PriceModel = champion.standing.model
        until = champion.trained_until or date.min
        unseen = candidate.holdout.columns["day"] > until.toordinal()
        sales, estimates = candidate.holdout.where(unseen), candidate.estimates[unseen]
        return self.evaluator.compare(sales, estimates, active.estimate(sales.columns))


def _drivers(model: PriceModel, holdout: Dataset, appraisal: Appraisal) -> dict[str, Driver]:
    """Of homes spread evenly over those that would be valued, the same ones each time."""
    reaches = appraisal.reaches
    refused = listed(reaches.refused) if reaches else [()] * len(holdout)
    valued = [row for row, out in enumerate(refused) if True not in out]
    count = min(MOST_EXPLAINED, len(valued))
    if not count:
        return {}
    sample = holdout.take([valued[place * len(valued) // count] for place in range(count)])
    return drivers(model.explain(sample.columns))
