"""The dashboard: that Grafana can show it, and that it agrees with the alerts."""

import re
from itertools import combinations
from typing import Any

from .shipped import ALERTS, dashboard, limits, panel_expressions, panels, used

WITHOUT_A_FIGURE = {
    "ReeNoModel",
    "ReeInstanceWithoutModel",
    "ReeTargetDown",
    "ReeStubServed",
    "ReeRetrainFailed",
}
"""Alerts on something that is so or not."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def test_every_expression_is_promql() -> None:
    expressions = [*panel_expressions()]
    assert len(expressions) > 40
    for title, expression in expressions:
        assert "$" not in expression, title
        assert used(expression), title


def test_it_asks_the_source_that_is_chosen() -> None:
    board = dashboard()
    assert board["uid"] == "ree"
    [variable] = board["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    for panel in panels():
        assert panel["datasource"] == SOURCE
        assert not any("datasource" in target for target in panel["targets"])


def test_panels_have_ids_titles_and_units_of_their_own() -> None:
    everything = dashboard()["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    titles = [panel["title"] for panel in everything]
    assert len({*titles}) == len(titles)
    for panel in panels():
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_no_panel_lies_on_another_or_beside_the_grid() -> None:
    places = [panel["gridPos"] for panel in dashboard()["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    assert [pair for pair in combinations(places, 2) if overlap(*pair)] == []


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def test_a_panel_of_an_alert_has_its_limit() -> None:
    """A panel names its alerts; what it calls red is what one of them calls too much."""
    named = set()
    for panel in panels():
        alerts = re.findall(r"\bRee\w+", panel.get("description", ""))
        assert set(alerts) <= set(ALERTS), panel["title"]
        named.update(alerts)
        allowed = {number(limit) for alert in alerts for limit in limits(alert)}
        if alerts:
            assert {*steps(panel)} <= allowed, panel["title"]
    assert set(ALERTS) - named == WITHOUT_A_FIGURE


def steps(panel: dict[str, Any]) -> list[float]:
    found = panel["fieldConfig"]["defaults"].get("thresholds", {"steps": []})
    return [step["value"] for step in found["steps"] if step["value"] is not None]


def number(limit: str) -> float:
    """Of `0.02` or of `65 * 86400`."""
    first, _, second = limit.partition(" * ")
    return float(first) * float(second or 1)
