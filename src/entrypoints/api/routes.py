"""The routes: parse, call, render."""

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request

from ...adapters.figures import drift_figures
from ...container import Container
from ...domain.errors import NoDriftReport
from ...domain.model import LoadedModel
from ...domain.turnover import day_in_oslo
from ..logs import MODEL_VERSION
from . import examples
from .answers import described, located, serving, tracked
from .body import body_text
from .documentation import Routes
from .estimating import complete_answer, fast_answer
from .query import EstimateQuery
from .revalidation import revalidated
from .schemas import ESTIMATE_PARAMETERS, reference

routes = Routes("ree", __name__, description="What homes are worth, and by which model.")
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def _container() -> Container:
    container: Container = current_app.extensions["ree"]
    return container


def _json(answer: dict[str, Any]) -> Response:
    return current_app.make_response(answer)


@routes.route("/estimate", methods=["POST"])
@routes.doc(
    parameters=ESTIMATE_PARAMETERS,
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": reference("Batch"),
                "examples": examples.REQUESTS,
            }
        },
    },
)
@routes.problems(400, 401, 413, 415, 422, 429, 500, 503)
@routes.response(
    200,
    reference("Answers"),
    description="A result for each property, in the order of the request.",
    examples=examples.ANSWERS,
)
def estimate() -> Response:
    """What are these homes worth?

    Takes a JSON object with the features of each home under its property id, and answers one
    with a result under each id, in the same order. A batch with an invalid property is refused as
    a whole, with every fault of every property, unless `on_invalid=skip` asks for the rest to be
    priced.
    """
    today = day_in_oslo(_container().clock().now())
    query = EstimateQuery.parse(request.args, today)
    batch = _container().serve_batch()
    text = body_text(request, batch.max_batch)
    served = _container().watched_model().state().served
    if served is not None:  # the one that prices corrects it, should there be another by then
        MODEL_VERSION.set(served.loaded.version.version)
    return fast_answer(batch, text, query) or complete_answer(batch, text, query)


@routes.route("/model")
@routes.problems(401, 429, 500, 503)
@routes.response(200, reference("Model"), description="The active version.")
def model() -> Response:
    """The model in use

    What it was trained on, how far off it was, and for whom. A segment is `good` when it was
    measured on 30 sales or more and half of its estimates were within 10 % of the price (MdAPE),
    `ok` when they were within 20 %, and otherwise a `risk`.
    """
    return revalidated(_json(described(_in_use().version)))


@routes.route("/model/report")
@routes.problems(401, 404, 429, 500, 503)
@routes.response(
    200, {"type": "string"}, content_type="text/html", description="A page to read or print."
)
def report() -> Response:
    """The report of the model in use, as HTML"""
    version = _in_use().version.version
    response = Response(_page(version), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _REPORT_POLICY
    return revalidated(response)


def _in_use() -> LoadedModel:
    """Whose name is on the lines from here on; ModelNotReady."""
    loaded: LoadedModel = _container().watched_model().current()
    MODEL_VERSION.set(loaded.version.version)
    return loaded


def _page(version: str) -> bytes:
    """The report; UnknownVersion, UnreadableVersion, StorageError."""
    return _kept(
        "report", version, lambda: _container().registry().artifact(version, "report.html")
    )


@routes.route("/model/track-record")
@routes.problems(401, 429, 500, 503)
@routes.response(
    200,
    reference("TrackRecord"),
    description="Month by month, the newest first; empty before the first.",
    examples=examples.TRACK_RECORD,
)
def track_record() -> Response:
    """How estimates compared with what homes then sold for

    When the sales of a month are fetched, the version that was active until then is scored on
    them: each home as it would have been valued on the day of its sale. Only sales that are newer
    than all that the version was trained on count.
    """
    return revalidated(_json(tracked(_container().track_log().months())))


@routes.route("/model/places")
@routes.problems(401, 429, 500, 503)
@routes.response(
    200,
    reference("Places"),
    description="Cells of a grid, from south to north.",
    examples=examples.PLACES,
)
def places() -> Response:
    """Where the sales are that the model in use compares homes with

    Coarsely, so that a map can be drawn of them: a cell is some 2.2 km high and in Oslo 1.1 km
    wide. A stub compares with none.
    """
    loaded = _in_use()
    version = loaded.version.version
    body = _kept("places", version, lambda: _json(located(loaded)).get_data())
    return revalidated(Response(body, mimetype="application/json"))


@routes.route("/model/drift")
@routes.problems(401, 404, 429, 500, 503)
@routes.response(
    200,
    reference("Drift"),
    description="Of the newest period that was looked at.",
    examples=examples.DRIFT,
)
def drift() -> Response:
    """Are homes and prices still those that the model in use was trained on?

    What `ree drift` found: by feature a population stability index, a distance and what is made of
    them. 404 until it has looked.
    """
    version = _in_use().version.version
    report = _container().drift_log().newest(version)
    if report is None:
        raise NoDriftReport(version)
    return revalidated(_json(drift_figures(report)))


def _kept(name: str, version: str, make: Callable[[], bytes]) -> bytes:
    """What *make* gave, made once a version; of the latest version only."""
    kept: dict[str, bytes] = current_app.extensions.setdefault(f"ree.{name}", {})
    body = kept.get(version)
    if body is None:
        body = make()
        kept.clear()
        kept[version] = body
    return body


@routes.route("/health")
@routes.doc(security=[])
@routes.problems(500)
@routes.response(200, reference("Health"), description="The process lives.")
def health() -> Response:
    """Is the process alive?"""
    env = _container().settings().env
    return _json({"status": "ok", "service": "ree", "env": env})


@routes.route("/ready")
@routes.doc(security=[])
@routes.problems(500, 503)
@routes.response(
    200, reference("Ready"), description="A verified model is loaded.", examples=examples.READY
)
def ready() -> Response:
    """Can homes be priced?

    They can with the last good model, too, while a newer one cannot be had: `refresh` tells since
    when and why.
    """
    return _json(serving(_container().watched_model().state(), _container().settings()))
