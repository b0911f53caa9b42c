"""Figures and the gate's verdict in words."""

import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from ...domain.gating import NO_INTERVALS, Check, Incumbent, Outcome, Verdict
from ...domain.turnover import OSLO, Period

NOTHING = "–"
_METRICS = {"mae": "MAE", "mdape": "MdAPE", "wape": "WAPE", "p90": "P90"}
_IN_KRONER = ("mae", "p90")
_NOT_COMPARED = {
    Incumbent.NONE.value: "no version is active yet",
    Incumbent.STUB.value: "the active version is a stub",
    Incumbent.REPLACED.value: "the active version cannot be read and is replaced",
}


def thin() -> str:
    """What keeps groups of digits apart, where the output can show it."""
    encoding = (sys.stdout.encoding or "").lower()
    return "\u202f" if encoding.startswith("utf") else " "


def number(value: float | None) -> str:
    """A whole number, as 1 050 000."""
    if value is None or not isfinite(value):
        return NOTHING
    return f"{value:,.0f}".replace(",", thin())


def kroner(value: float | None) -> str:
    """An amount, as 1 050 000 kr."""
    return NOTHING if value is None or not isfinite(value) else f"{number(value)}{thin()}kr"


def percent(value: float | None) -> str:
    """A fraction, as 4.7 %."""
    if value is None or not isfinite(value):
        return NOTHING
    return f"{100 * value:.1f}{thin()}%"


def moment(value: datetime) -> str:
    """A moment in Norway."""
    return f"{value.astimezone(OSLO):%Y-%m-%d %H:%M}"


def days(period: Period) -> str:
    """A period, as 2025-01 – 2025-12 if it has whole months only."""
    start, end = period.start, period.end
    if start.day == 1 and (end + timedelta(days=1)).day == 1:
        return f"{start:%Y-%m} – {end:%Y-%m}"
    return f"{start} – {end}"


def rule_name(rule: str) -> str:
    """As `overall MAE` for overall_mae."""
    return " ".join(_METRICS.get(part, part) for part in rule.split("_"))


def headline(verdict: Verdict) -> str:
    """What the gate decided, and if it refused, the first reason."""
    if verdict.passed:
        return "passed"
    first = verdict.blocking[0]
    name, figures = rule_name(first.rule), first.figures
    if first.outcome is Outcome.INCONCLUSIVE:
        way_out = "--accept-inconclusive lets it pass"
        return f"refused: {name} is inconclusive, {explained(first)}; {way_out}"
    if figures.get("degradation") is not None:
        worse = percent(figures["degradation"])
        return f"refused: {name} is {worse} worse, at most {_limit(figures)} is allowed"
    return f"refused: {name} failed, {explained(first)}"


def explained(check: Check) -> str:
    """The figures of a rule as a sentence."""
    figures = check.figures
    if check.outcome is Outcome.NOT_APPLICABLE and figures.get("reason") == NO_INTERVALS:
        return "the model has no intervals"
    if check.outcome is Outcome.NOT_APPLICABLE:
        reason = str(figures.get("reason"))
        return f"not compared, {_NOT_COMPARED.get(reason, reason)}"
    if check.outcome is Outcome.INCONCLUSIVE and {"n", "min_rows"} <= figures.keys():
        n, least = figures["n"], figures["min_rows"]
        compared = "comparable sales, newer than all that the active model knows"
        what = "sales" if check.rule.endswith(("_coverage", "_baseline")) else compared
        return f"{number(n)} {what}; at least {number(least)} are needed"
    if check.rule == "enough_rows":
        return _rows(figures)
    if check.rule == "beats_baseline":
        mine, naive = kroner(figures.get("candidate")), kroner(figures.get("baseline"))
        return f"MAE {mine} against {naive} of the naive baseline"
    if "covered" in figures:
        return _coverage(figures)
    if "limit" in figures:
        return _degradation(check.rule, figures)
    return ", ".join(f"{name} {value}" for name, value in figures.items())


def _rows(figures: Mapping[str, Any]) -> str:
    rows, least = figures["rows"], figures["min_rows"]
    if rows < least:
        return f"{number(rows)} sales to train on, at least {number(least)} are needed"
    holdout, before = number(figures["holdout_rows"]), number(figures["rows_before"])
    fewest = number(figures["min_rows_before"])
    words = f"{number(rows)} sales, at least {number(least)} are needed; {holdout} of them held out"
    return f"{words}, {before} before (at least {fewest})"


def _coverage(figures: Mapping[str, Any]) -> str:
    wanted, tolerance = figures["wanted"], figures["tolerance"]
    low, high = (f"{100 * bound:.1f}" for bound in figures["covered_interval"])
    words = f"{percent(figures['covered'])} of {number(figures['n'])} prices are inside; what that"
    words += f" may mean (95{thin()}%: {low} to {high}) has to meet {100 * (wanted - tolerance):g}"
    words += f" to {100 * (wanted + tolerance):g}{thin()}%; mean width {percent(figures['width'])}"
    return words


def _degradation(rule: str, figures: Mapping[str, Any]) -> str:
    shown = kroner if rule.rpartition("_")[2] in _IN_KRONER else percent
    mine, theirs = shown(figures.get("candidate")), shown(figures.get("active"))
    words = f"{mine} against {theirs}"
    degradation = figures.get("degradation")
    if degradation is None:
        return words
    words += f", {percent(abs(degradation))} {'worse' if degradation > 0 else 'better'}"
    if degradation > 0:
        words += f", {_limit(figures)} allowed"
    interval = figures.get("degradation_interval")
    if interval and all(bound is not None for bound in interval):
        low, high = (f"{100 * bound:+.1f}" for bound in interval)
        words += f" (95{thin()}%: {low} to {high})"
    return words


def _limit(figures: Mapping[str, Any]) -> str:
    return f"{100 * figures['limit']:g}{thin()}%"
