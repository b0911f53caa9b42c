"""From past sales to a published model, or to a reason why there is none."""

from collections.abc import Mapping, Sequence

from attrs import evolve, field, frozen

from ..domain.dataset import Dataset, DatasetManifest
from ..domain.errors import ActivationConflict
from ..domain.funnel import Funnel
from ..domain.gating import GatingPolicy, Incumbent
from ..domain.model import Kind, ModelVersion, PriceModel, Recipe, TrainingRecord
from ..domain.municipality import RENUMBERED
from ..domain.ports import (
    Clock,
    ModelRegistry,
    Progress,
    RunLog,
    SnapshotStore,
    Tally,
    Witness,
)
from ..domain.run import Ending, Run, new_run_id
from ..domain.track_record import MOST_KEPT, TrackedMonth
from ..domain.turnover import Period, day_in_oslo
from .fetch_month import FetchMonth
from .find_earlier import FindEarlier
from .merge_sales import MergeSales
from .run_key import run_key
from .score_months import ScoreMonths
from .stopwatch import UNWITNESSED, Stopwatch, unseen
from .trial import Candidate, Champion, TryCandidate


@frozen
class RetrainRequest:
    """What to train on, and how far to go."""

    period: Period
    asked_by: str
    recipe: str = "accurate"
    dry_run: bool = False
    publish: bool = True
    force_fetch: bool = False
    accept_inconclusive: bool = False
    replace_unreadable: str | None = None
    """Why an active version that cannot be read may be treated as absent."""
    progress: Progress = unseen
    witness: Witness = UNWITNESSED
    run_id: str | None = None
    """What the run is to be called; a new name if None."""


@frozen
class RetrainPeriod:
    """Fetch, merge, validate, train, evaluate out of time, gate, publish, activate.

    Before a model is trained, the months that were fetched are scored: how the versions did on them
    that were active then.
    """

    fetch_month: FetchMonth
    try_candidate: TryCandidate
    find_earlier: FindEarlier
    score_months: ScoreMonths
    merge_sales: MergeSales
    snapshots: SnapshotStore
    registry: ModelRegistry
    runs: RunLog
    tally: Tally
    policy: GatingPolicy
    clock: Clock
    environment: Mapping[str, str] = field(factory=dict)

    def __call__(self, request: RetrainRequest) -> Run:
        """The run's report; every failure leaves the active version as it was.

        FutureSale, MarketError, StorageError, FunnelMismatch, UnreadableVersion, ModelsDisagree.
        """
        watch = Stopwatch(self.clock, request.progress, request.witness)
        now = self.clock.now()
        request.period.check_over(day_in_oslo(now))
        dataset, manifest, warnings = self._dataset(request, watch)
        policy = evolve(self.policy, accept_inconclusive=request.accept_inconclusive)
        recipe = self.try_candidate.trainer.recipe(request.recipe)
        run = Run(
            run_id=request.run_id or new_run_id(now),
            key=run_key(manifest, recipe, policy, self.environment),
            asked_by=request.asked_by,
            started_at=now,
            finished_at=now,
            steps={},
            manifest=manifest,
            ending=Ending.SNAPSHOTS_ONLY,
            warnings=warnings,
        )
        if not request.dry_run:
            with watch.step("track"):
                track = self.score_months(manifest.snapshots)
            replace = request.replace_unreadable is not None
            champion = Champion.of(self.registry, replace_unreadable=replace)
            if champion.standing is Incumbent.REPLACED:
                run = evolve(run, unreadable_replaced=request.replace_unreadable)
            elif earlier := self.find_earlier(run.key):
                return earlier
            run = self._train(run, request, dataset, recipe, policy, champion, track, watch)
        if run.reused:
            return run
        run = evolve(run, finished_at=self.clock.now(), steps=dict(watch.seconds))
        self.runs.record(run)
        return run

    def _dataset(
        self, request: RetrainRequest, watch: Stopwatch
    ) -> tuple[Dataset, DatasetManifest, dict[str, int]]:
        """Under today's municipality numbers; what was fetched stays as it is."""
        months = self.fetch_month.each(
            request.period, watch, force=request.force_fetch, dry_run=request.dry_run
        )
        with watch.step("validate"):
            merged = self.merge_sales(months)
            fetched = Funnel.total(month.fetched for month in months)
            manifest = self.snapshots.add_dataset(
                request.period,
                merged.dataset,
                Funnel((*fetched.stages, merged.merge, merged.validate)),
                months,
                dry_run=request.dry_run,
            )
        warnings = {RENUMBERED: merged.renumbered} if merged.renumbered else {}
        return merged.dataset, manifest, warnings

    def _train(
        self,
        run: Run,
        request: RetrainRequest,
        dataset: Dataset,
        recipe: Recipe,
        policy: GatingPolicy,
        champion: Champion,
        track: Sequence[TrackedMonth],
        watch: Stopwatch,
    ) -> Run:
        """Who loses the move of the pointer to somebody else has to stand up to the winner."""
        candidate = self.try_candidate.evaluate(dataset, request.period, recipe, policy, watch)
        model: PriceModel | None = None
        while True:
            verdict = self.try_candidate.judge(candidate, champion, policy, watch)
            run = evolve(
                run,
                evaluation=candidate.evaluation and candidate.evaluation.brief,
                baseline=candidate.baseline,
                verdict=verdict,
                ending=Ending.NOT_PUBLISHED if verdict.passed else Ending.REFUSED,
            )
            if candidate.evaluation is None or not request.publish:
                return run
            if model is None:
                with watch.step("train"):
                    model = self.try_candidate.trainer.fit(dataset, recipe)
                    self.try_candidate.trainer.confirm(model, candidate.holdout)
            replaces = champion.standing is Incumbent.REPLACED
            if not replaces and (earlier := self.find_earlier(run.key, in_passing=True)):
                return earlier
            if self._leads(champion):
                with watch.step("publish"):
                    record = evolve(
                        self._training_record(run, recipe, dataset, candidate, champion, model),
                        track=tuple(month.brief for month in track[:MOST_KEPT]),
                    )
                    version = self.registry.publish(model, record)
                    request.witness.stored(version)
                    run = evolve(run, model_version=version.version)
                    if not verdict.passed:
                        return self._told(run, version)
                    if self._activated(run, version, champion):
                        return self._told(evolve(run, ending=Ending.ACTIVATED), version)
            champion = Champion.of(self.registry, replace_unreadable=replaces)

    def _told(self, run: Run, version: ModelVersion) -> Run:
        """By the run whose version it is, if another one with the same key was first."""
        if version.record.run_id == run.run_id:
            return run
        return self.find_earlier(run.key) or run

    def _leads(self, champion: Champion) -> bool:
        active = self.registry.active()
        return (active.version if active else None) == champion.version

    def _activated(self, run: Run, version: ModelVersion, champion: Champion) -> bool:
        """Whether the version got active; it does not if somebody moved the pointer elsewhere."""
        why = f"retrained on {run.manifest.period} and passed the gate"
        if run.unreadable_replaced is not None:
            why += f"; the active version could not be read: {run.unreadable_replaced}"
        try:
            self.registry.activate(
                version.version, expected=champion.version, by=run.asked_by, why=why
            )
        except ActivationConflict:
            return any(move.version == version.version for move in self.registry.history())
        return True

    def _training_record(
        self,
        run: Run,
        recipe: Recipe,
        dataset: Dataset,
        candidate: Candidate,
        champion: Champion,
        model: PriceModel,
    ) -> TrainingRecord:
        return TrainingRecord(
            kind=Kind.TRAINED,
            recipe=recipe,
            environment=self.environment,
            run_id=run.run_id,
            run_key=run.key,
            asked_by=run.asked_by,
            started_at=run.started_at,
            dataset=run.manifest,
            trained_until=dataset.newest,
            evaluation=candidate.evaluation,
            baseline=candidate.baseline,
            verdict=run.verdict,
            evaluation_digest=candidate.digest,
            champion=champion.version,
            champion_trained_until=champion.trained_until,
            distributions=self.tally.distributions(dataset, model.estimate(dataset.columns)),
        )
