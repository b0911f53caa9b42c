"""The estimate page at `/`, in Norwegian (bokmål) and English, and what it loads."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from jinja2 import Environment, FunctionLoader, StrictUndefined

from ...adapters.municipalities import reference
from ...domain.appraisal import COVERAGE, COVERAGES
from ...domain.property import RealEstateType
from .revalidation import revalidated

LANGUAGES = ("nb", "en")
"""The first is what is shown to who prefers neither."""
_NORWEGIAN = ("nb", "no", "nn")
FOLDER = files(__package__).joinpath("page")
"""What the page is made of."""
_TEMPLATE = "page.html.j2"
_MUNICIPALITIES = "municipalities.json"
_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "json": "application/json",
    "svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

page = Blueprint("page", __name__)


@page.get("/")
def estimate_page() -> Response:
    """The page, in the language of `?lang=`, else in the one the browser prefers."""
    keys = bool(current_app.extensions["ree"].settings().client_keys)
    response = Response(_rendered(_language(), keys), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    response.vary.add("Accept-Language")
    return revalidated(response)


@page.get("/assets/<name>")
def page_asset(name: str) -> Response:
    """A script, a style, a picture, or the texts of a language."""
    if name not in assets():
        abort(404)
    return revalidated(Response(_asset(name), mimetype=_TYPES[name.rpartition(".")[2]]))


@cache
def assets() -> frozenset[str]:
    """The names of all that the page may load."""
    own = (file.name for file in FOLDER.iterdir())
    served = {name for name in own if name.rpartition(".")[2] in _TYPES}
    return frozenset(served | {_MUNICIPALITIES})


@cache
def texts(language: str) -> dict[str, str]:
    """What the page says, by key."""
    found: dict[str, str] = json.loads(_read(f"{language}.json"))
    return found


@cache
def places() -> tuple[dict[str, Any], ...]:
    """Municipalities as the page knows them, with the numbers that became theirs alone.

    A *label* tells those of one name apart.
    """
    names = [each.name for each in reference().current]
    former: dict[str, list[str]] = {}
    for number, successors in reference().successors.items():
        if len(successors) == 1:
            former.setdefault(successors[0], []).append(number)
    return tuple(
        {
            "number": each.number,
            "name": each.name,
            "label": each.name if names.count(each.name) == 1 else f"{each.name} ({each.county})",
            "county": each.county,
            "former": former.get(each.number, []),
            "lat": each.lat,
            "lon": each.lon,
        }
        for each in reference().current
    )


def _language() -> str:
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        return asked
    preferred = request.accept_languages.best_match([*_NORWEGIAN, "en"], default=LANGUAGES[0])
    return LANGUAGES[0] if preferred in _NORWEGIAN else "en"


@cache
def _rendered(language: str, keys: bool) -> str:
    """With *keys* it asks for a client key."""
    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE).render(
        language=language,
        languages=LANGUAGES,
        texts=texts(language),
        keys=keys,
        types=[kind.value for kind in RealEstateType],
        coverages=COVERAGES,
        coverage=COVERAGE,
        places=sorted(places(), key=lambda place: place["label"]),
    )


@cache
def _asset(name: str) -> bytes:
    if name == _MUNICIPALITIES:
        return json.dumps(places(), ensure_ascii=False, separators=(",", ":")).encode()
    return FOLDER.joinpath(name).read_bytes()


def _read(name: str) -> str:
    return FOLDER.joinpath(name).read_text(encoding="utf-8")
