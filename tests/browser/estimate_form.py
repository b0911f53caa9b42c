"""The estimate page as people use it: by its labels and roles, in the words of its language."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from attrs import frozen
from playwright.sync_api import Locator, Page, expect

from ree.entrypoints.cli.demo import VALUATION_DATE

HOUSE: Mapping[str, Any] = {
    "realestate_type": "enebolig",
    "municipality_number": "4003",
    "lat": 59.21,
    "lon": 9.584,
    "usable_area": 167,
    "total_area": 472.8,
    "built_year": 2016,
    "rooms": 4,
    "bedrooms": 2,
}
FLAT: Mapping[str, Any] = {
    "realestate_type": "leilighet",
    "municipality_number": "0301",
    "lat": 59.922,
    "lon": 10.759,
    "usable_area": 62,
    "total_area": 68,
    "built_year": 1936,
    "floor": 3,
    "rooms": 3,
    "bedrooms": 2,
}
QUERY = f"/estimate?explain=true&coverage=0.9&valuation_date={VALUATION_DATE}"
MINUS = "\N{MINUS SIGN}"
LOCALES = {"nb": "nb-NO", "en": "en-GB"}


def words(language: str) -> dict[str, str]:
    """The texts of a language, as the page has them."""
    folder = files("ree.entrypoints.api").joinpath("page")
    found: dict[str, str] = json.loads(folder.joinpath(f"{language}.json").read_text("utf-8"))
    return found


def money(amount: int, language: str) -> str:
    """As people write it; with ordinary spaces."""
    sign, digits = MINUS if amount < 0 else "", f"{abs(amount):,}"
    return f"{sign}NOK {digits}" if language == "en" else f"{sign}{digits.replace(',', ' ')} kr"


def plain(text: str) -> str:
    """With ordinary spaces, however wide the page has them."""
    return " ".join(text.split())


@frozen
class Form:
    """In one of the languages."""

    page: Page
    language: str

    def say(self, key: str) -> str:
        """A text of the page."""
        return words(self.language)[key]

    def field(self, name: str) -> Locator:
        """By its label."""
        return self.page.get_by_label(self.say(f"field.{name}"), exact=True)

    def kind(self, name: str) -> Locator:
        """A type of home, by its label."""
        return self.page.get_by_role("radio", name=self.say(f"type.{name}"), exact=True)

    def fill(self, home: Mapping[str, Any]) -> None:
        """As it is written in the language; on the day of the model."""
        for name, value in home.items():
            if name == "realestate_type":
                self.kind(value).check()
            else:
                self.field(name).fill(self.written(value))
        self.field("valuation_date").fill(str(VALUATION_DATE))

    def written(self, value: Any) -> str:
        """With the decimal sign of the language."""
        return str(value).replace(".", "," if self.language == "nb" else ".")

    def submit(self) -> None:
        """By its button."""
        self.page.get_by_role("button", name=self.say("form.submit")).click()

    def price(self) -> str:
        """The estimate that stands there, once it does."""
        expect(self.page.locator("#price")).to_be_visible()
        return plain(self.page.locator("#price").inner_text())

    def rows(self, name: str) -> list[list[str]]:
        """The cells of a table of the answer, by its heading."""
        table = self.page.get_by_role("table", name=self.say(f"{name}.heading"))
        return [
            [plain(cell) for cell in row.locator("th, td").all_inner_texts()]
            for row in table.locator("tbody tr").all()
        ]

    def summary(self) -> Locator:
        """What is wrong, said above the form."""
        return self.page.get_by_role("group", name=self.say("faults.heading"))


def body(home: Mapping[str, Any]) -> dict[str, Any]:
    """Of the request for a home."""
    return {"home": dict(home)}
