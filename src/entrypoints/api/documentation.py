"""The OpenAPI document, and two pages that show it without asking another host."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Blueprint, Flask, Response, abort
from flask_smorest import Api
from flask_smorest import Blueprint as DocumentedBlueprint
from werkzeug.exceptions import HTTPException

from .examples import PROBLEMS
from .problems import MEDIA_TYPE, RETRY_AFTER, of_http
from .revalidation import revalidated
from .schemas import SCHEMAS, reference

DESCRIPTION = """\
What Norwegian homes are worth, by a model that retrains, checks and publishes itself.

Errors are problem details (RFC 9457, `application/problem+json`). Every answer has an
`X-Request-Id`, under which the service logs the request; one that you send (1 to 64 of
`A-Z a-z 0-9 . _ -`) is kept.

Where the operator has set client keys, every route but `/health`, `/ready`, this documentation and
the estimate page at `/` wants one, and may be asked only so often with it."""

_KEYS: dict[str, dict[str, str]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A client key, where the operator has set them.",
    },
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "The same key; send it in one of the two.",
    },
}

_SWAGGER = ("flask_swagger_ui", "dist")
_REDOC = ("openapi_ui_bundles", "redoc", "vendor")
_OWN = (__package__, "docs_assets")
_FILES = {
    name: (*folder, name)
    for folder, names in {
        _SWAGGER: ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"),
        _REDOC: ("redoc.standalone.js", "logo-mini.svg"),
        _OWN: ("page.css", "mending.js", "swagger.css", "swagger.js", "redoc.css", "redoc.js"),
    }.items()
    for name in names
}
_DOCUMENT = "api-docs.openapi_json"
ASSETS = tuple(_FILES)
_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "png": "image/png",
    "svg": "image/svg+xml",
}
_LOGO_ELSEWHERE = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
_LOGO = b"docs/assets/logo-mini.svg"
_REDOC_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"  # an empty element, filled by script
    " 'sha256-DLDPR1ic47WIdK2WyeLkblb/tm2mQH+Jt/NNhZWu1k0='"  # that of the bundle itself
)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' {styles}; "
    "img-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ree API</title>
<link rel="icon" type="image/png" href="docs/assets/favicon-32x32.png">
{head}
</head>
<body>
<div id="page"></div>
<script src="docs/assets/{library}"></script>
<script type="module" src="docs/assets/{script}"></script>
</body>
</html>
"""


WHY = {
    400: "The body is not JSON, or JSON that is ambiguous: NaN, Infinity, a key given twice.",
    401: "The operator has set client keys, and none of them was sent.",
    404: "The version is gone, or what is asked for is not known of it yet.",
    413: "More properties than `REE_MAX_BATCH`, or more bytes than those need.",
    415: "Another media type than `application/json`, or a content encoding.",
    422: "No properties, or ones that cannot be priced; `errors` lists what is wrong with each.",
    429: "More requests than the key allows. Try again after `Retry-After` seconds.",
    500: "A defect in the service. The log tells more, under the request id.",
    503: "No model is loaded, or the storage failed. Try again after `Retry-After` seconds.",
}


_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "example": int(RETRY_AFTER)},
    }
}
_HEADERS = {
    401: {"WWW-Authenticate": {"description": "`Bearer`", "schema": {"type": "string"}}},
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}


class Routes(DocumentedBlueprint):
    """Routes whose problems are documented by their status codes."""

    def problems(self, *codes: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Document what a route can answer with instead."""

        def document(view: Callable[..., Any]) -> Callable[..., Any]:
            for code in codes:
                view = self.alt_response(
                    code,
                    schema=reference("Problem"),
                    content_type=MEDIA_TYPE,
                    description=WHY[code],
                    examples=PROBLEMS[code],
                    headers=_HEADERS.get(code),
                )(view)
            return view

        return document


class ProblemApi(Api):
    """flask-smorest, with problems for errors."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> Response:
        """What Flask refuses, as a problem."""
        return of_http(error)


def document(app: Flask, version: str, *, keys: bool) -> Any:
    """The API whose routes make the OpenAPI document, served as /openapi.json.

    With *keys* it says that clients need one.
    """
    app.config |= {
        "API_TITLE": "ree",
        "API_VERSION": version,
        "OPENAPI_VERSION": "3.0.3",
        "OPENAPI_URL_PREFIX": "/",
    }
    more: dict[str, Any] = {"info": {"description": DESCRIPTION}}
    if keys:
        more["security"] = [{name: []} for name in _KEYS]
    api = ProblemApi(app, spec_kwargs=more)
    api.spec.components.schemas.clear()  # flask-smorest's own errors and pages
    for name, schema in SCHEMAS.items():
        api.spec.components.schema(name, schema)
    for name, scheme in _KEYS.items():
        api.spec.components.security_scheme(name, scheme)
    _keep_document(app)
    return api


def _keep_document(app: Flask) -> None:
    """Make it once; it takes some milliseconds."""
    make: Callable[[], Any] = cache(app.view_functions[_DOCUMENT])

    def view() -> Response:
        return revalidated(Response(make().get_data(), mimetype="application/json"))

    app.view_functions[_DOCUMENT] = view


pages = Blueprint("pages", __name__)


@pages.get("/docs")
def swagger() -> Response:
    """Swagger UI."""
    styles = ["page.css", "swagger-ui.css", "swagger.css"]
    return _page(styles, "swagger-ui-bundle.js", "swagger.js")


@pages.get("/redoc")
def redoc() -> Response:
    """ReDoc."""
    return _page(["page.css", "redoc.css"], "redoc.standalone.js", "redoc.js", _REDOC_STYLES)


@pages.get("/docs/assets/<name>")
def asset(name: str) -> Response:
    """A script, style or picture of the pages."""
    if name not in ASSETS:
        abort(404)
    response = Response(_asset(name), mimetype=_TYPES[name.rpartition(".")[2]])
    return revalidated(response)


def _page(styles: list[str], library: str, script: str, inline: str = "") -> Response:
    """Drawn by a *library* that our *script* starts; with *inline* styles by their hashes."""
    head = [f'<link rel="stylesheet" href="docs/assets/{name}">' for name in styles]
    page = _PAGE.format(head="\n".join(head), library=library, script=script)
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY.format(styles=inline).replace(" ;", ";")
    return revalidated(response)


@cache
def _asset(name: str) -> bytes:
    package, *path = _FILES[name]
    body = files(package).joinpath(*path).read_bytes()
    return body.replace(_LOGO_ELSEWHERE, _LOGO)
