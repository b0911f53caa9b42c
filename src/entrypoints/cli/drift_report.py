"""Drift for people."""

from math import isnan

from rich.text import Text

from ...adapters.municipalities import reference
from ...domain.distribution import MISSING
from ...domain.drift import PRICE_LEVEL, DriftReport, DriftVerdict, FeatureDrift
from .rendering import facts, show, table
from .words import NOTHING, number, percent

_FEATURES = {
    "realestate_type": "type",
    "municipality_number": "municipality",
    "usable_area": "usable area",
    "total_area": "total area",
    "price_per_sqm": "price per m2",
    "estimate_per_sqm": "estimate per m2",
    PRICE_LEVEL: "price level",
}
_UNITS = {
    "usable_area": " m2",
    "total_area": " m2",
    "age": " years",
    "price_per_sqm": " kr",
    "estimate_per_sqm": " kr",
}
_STYLES = {
    DriftVerdict.TOO_FEW: "dim",
    DriftVerdict.STABLE: "green",
    DriftVerdict.WATCH: "yellow",
    DriftVerdict.DRIFTED: "red",
}
_MEANING = {
    DriftVerdict.TOO_FEW: "There are too few sales to tell: at least {min_sales} are needed. Ask "
    "for a longer period.",
    DriftVerdict.STABLE: "The homes and prices are still those that the version was trained on.",
    DriftVerdict.WATCH: "Something is changing. Look again when there are more sales.",
    DriftVerdict.DRIFTED: "The version was trained on other homes or prices than are sold now. "
    "Retrain on newer sales.",
}
_KNOWN = (
    "The version was trained on sales of this period, so that its estimates fit these better than "
    "they fit new ones."
)


def show_drift(report: DriftReport) -> None:
    """The verdict, a line a feature, and what it means."""
    made = table("feature", "", "PSI>", "distance>", "what has changed most")
    for feature in report.features:
        made.add_row(
            _FEATURES.get(feature.feature, feature.feature),
            _worded(feature.verdict),
            _figure(feature.psi),
            _figure(feature.distance),
            _sentence(feature),
        )
    trained_on = max(feature.trained_on for feature in report.features)
    sales = max(feature.sales for feature in report.features)
    period = f"{report.period.start} to {report.period.end}"
    beside = f"  {number(sales)} sales of {period} beside {number(trained_on)} of the training data"
    title = Text.assemble(("Drift ", "bold"), _worded(report.verdict), beside)
    version = facts((("version", report.version), ("trained until", report.trained_until)))
    meaning = _MEANING[report.verdict].format(min_sales=report.min_sales)
    show(title, version, made, f"{meaning} {_KNOWN}" if report.known_sales else meaning)


def _worded(verdict: DriftVerdict) -> Text:
    return Text(verdict.value.replace("_", " "), _STYLES[verdict])


def _figure(value: float) -> str:
    return NOTHING if isnan(value) else f"{value:.3f}"


def _sentence(drift: FeatureDrift) -> str:
    if drift.feature == PRICE_LEVEL:
        if isnan(drift.shift):
            return NOTHING
        side = "above" if drift.shift >= 0 else "below"
        return f"the median price is {percent(abs(drift.shift))} {side} its estimate"
    if drift.most_changed is None:
        return NOTHING
    change = drift.most_changed
    now, then = percent(change.sold), percent(change.trained)
    return f"{_bin(drift.feature, change.bin)}: {now} of the sales, {then} of the training data"


def _bin(feature: str, name: str) -> str:
    if feature == "municipality_number":
        known = reference().find(name)
        return f"{name} {known.name}" if known else name
    if feature == "county":
        return {one.county_number: one.county for one in reference().current}.get(name, name)
    return name if name == MISSING else name + _UNITS.get(feature, "")
