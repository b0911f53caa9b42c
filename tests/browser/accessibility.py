"""What axe-core finds on a page, by all its rules."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page


def violations(page: Page) -> list[str]:
    """A line for each element that breaks a rule, and why."""
    # axe looks at colours: what fades in has to be there first.
    page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")
    page.evaluate(AXE_SCRIPT)
    # All rules; only what was found well is not written out.
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert len(found["passes"]) > 10, "axe found hardly anything to look at"
    return [
        f"{broken['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]
