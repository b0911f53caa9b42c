"""Whatever is sent is answered with the right problem, never with a defect."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

HOUSE = {
    "realestate_type": "enebolig",
    "municipality_number": "0301",
    "lat": 59.9,
    "lon": 10.7,
    "built_year": 1990,
    "total_area": 200,
    "usable_area": 150,
}
LIMIT = 2_000 * 4_096 + 65_536
NOT_TO_SHOW = ("Traceback", "market-secret", "/store", 'File "', "werkzeug", "sklearn")


def is_problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """Check its shape."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    problem: dict[str, Any] = answer.get_json(force=True)
    assert problem["status"] == status
    assert problem["type"] == "about:blank" or problem["type"].startswith("urn:ree:problem:")
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    expected = {"type", "title", "status", "detail", "request_id"}
    if "errors" in problem:
        expected |= {"errors", "errors_total"}
        for error in problem["errors"]:
            assert set(error) == {"property_id", "field", "code", "message"}
    assert set(problem) == expected
    assert not [text for text in NOT_TO_SHOW if text in answer.text]
    return problem


def home(**features: Any) -> bytes:
    """A batch of one home that is sound but for *features*."""
    return json.dumps({"1": HOUSE | features}).encode()


def literal(text: str, field: str = "lat") -> bytes:
    """A batch of one home with *text* as it stands for a feature."""
    return home(**{field: "PLACE"}).replace(b'"PLACE"', text.encode())


def without(field: str) -> bytes:
    """A batch of one home that lacks a feature."""
    return json.dumps({"1": {name: HOUSE[name] for name in HOUSE if name != field}}).encode()


MALFORMED = {
    "nothing": b"",
    "spaces": b"  \n ",
    "word": b"hello",
    "half": b'{"1": {',
    "two": b"{} {}",
    "comma": b'{"1": {},}',
    "single quotes": b"{'1': {}}",
    "comment": b"{} // none",
    "not UTF-8": b'{"\xff": {}}',
    "overlong UTF-8": b'{"\xc0\xaf": {}}',
    "UTF-16": '{"1": {}}'.encode("utf-16"),
    "BOM": b"\xef\xbb\xbf{}",
    "NUL": b'{"1\x00": {}}',
    "raw newline": b'{"1\n": {}}',
    "NaN": literal("NaN"),
    "Infinity": literal("Infinity"),
    "-Infinity": literal("-Infinity"),
    "leading zero": literal("059"),
    "plus": literal("+59"),
    "hex": literal("0x3b"),
    "dot": literal("59."),
    "full-width digits": literal("\uff15"),
    "id twice": b'{"1": {}, "1": {}}',
    "id twice, escaped": b'{"1": {}, "\\u0031": {}}',
    "field twice": b'{"1": {"lat": 1, "lat": 1}}',
    "half a letter as an id": home().replace(b'"1"', b'"\\ud800"'),
    "half a letter as a field": home().replace(b'"lat"', b'"\\uDFFF"'),
    "half a letter as a value": literal('"\\udbffx"'),
    "half a letter, deep": literal("[" * 900 + '"\\ud800"' + "]" * 900),
    "halves in the wrong order": literal('"\\udc00\\ud800"'),
    "deep array": b"[" * 200_000,
    "deep object": b'{"a":' * 200_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_json_is_400(stub_client: FlaskClient, body: bytes) -> None:
    answer = stub_client.post("/estimate", data=body, content_type="application/json")
    assert is_problem(answer, 400)["type"] == "urn:ree:problem:malformed-json"


@pytest.mark.parametrize("body", [b"[]", b"[{}]", b"null", b"true", b"1", b'"x"', b"1e999"])
def test_a_body_that_is_no_object_is_422(stub_client: FlaskClient, body: bytes) -> None:
    answer = stub_client.post("/estimate", data=body, content_type="application/json")
    assert is_problem(answer, 422)["type"] == "urn:ree:problem:not-an-object"


def test_an_empty_batch_is_422(stub_client: FlaskClient) -> None:
    answer = stub_client.post("/estimate", json={})
    assert is_problem(answer, 422)["type"] == "urn:ree:problem:empty-batch"


INVALID = [
    ("features null", b'{"1": null}', "invalid_type:property"),
    ("features list", b'{"1": [1]}', "invalid_type:property"),
    ("features text", b'{"1": "x"}', "invalid_type:property"),
    ("features number", b'{"1": 1}', "invalid_type:property"),
    (
        "no features",
        b'{"1": {}}',
        "missing:built_year,lat,lon,municipality_number,realestate_type,total_area,usable_area",
    ),
    ("empty id", home().replace(b'"1"', b'""'), "invalid:property_id"),
    ("long id", home().replace(b'"1"', b'"' + b"1" * 65 + b'"'), "invalid:property_id"),
    ("id in Norwegian", home().replace(b'"1"', '"å"'.encode()), "invalid:property_id"),
    ("id with a newline", home().replace(b'"1"', b'"1\\n"'), "invalid:property_id"),
    ("unknown field", home(sauna=1), "unknown:sauna"),
    ("unknown null field", home(sauna=None), "unknown:sauna"),
    ("field in capitals", home(LAT=1), "unknown:LAT"),
    ("empty field", home(**{"": 1}), "unknown:"),
    ("number in a text", home(lat="59.9"), "invalid_type:lat"),
    ("true for a number", home(lat=True), "invalid_type:lat"),
    ("false for a count", home(rooms=False), "invalid_type:rooms"),
    ("list for a number", home(lat=[59.9]), "invalid_type:lat"),
    ("object for a number", home(lat={}), "invalid_type:lat"),
    ("number for a type", home(realestate_type=1), "invalid_type:realestate_type"),
    ("1e999", literal("1e999"), "not_finite:lat"),
    ("-1e999", literal("-1e999"), "not_finite:lat"),
    ("5,000 digits", literal("9" * 5_000), "not_finite:lat"),
    ("399 digits", literal("9" * 399), "not_finite:lat"),
    ("1e308 is finite", literal("1e308"), "invalid:latlon"),
    ("400 digits of a municipality", literal("9" * 500, "municipality_number"), None),
    ("float for a municipality", home(municipality_number=301.0), "invalid_type"),
    ("true for a municipality", home(municipality_number=True), "invalid_type"),
    ("word for a municipality", home(municipality_number="Oslo"), "invalid_type"),
    ("signed municipality", home(municipality_number="-301"), "invalid_type"),
    ("Arabic digits", home(municipality_number="\u0663\u0660\u0661"), "invalid_type"),
    ("negative municipality", home(municipality_number=-301), "invalid:municipality_number"),
    ("five digits", home(municipality_number="03010"), "invalid:municipality_number"),
    ("no municipality", without("municipality_number"), "missing:municipality_number"),
    ("null is absent", home(lat=None), "missing:lat"),
    ("no type", without("realestate_type"), "missing:realestate_type"),
    ("type with a capital", home(realestate_type="Enebolig"), "invalid:realestate_type"),
    ("commercial", home(realestate_type="næringseiendom"), "unsupported:realestate_type"),
    ("apartment, no floor", home(realestate_type="leilighet"), "missing:floor_for_leilighet"),
    ("lat beyond the pole", home(lat=90.1), "invalid:latlon"),
    ("lon around the world", home(lon=-180.5), "invalid:latlon"),
    ("built before 1600", home(built_year=1599), "invalid:built_year"),
    ("built too late", home(built_year=2029), "invalid:built_year"),
    ("no area", home(usable_area=0), "invalid:usable_area"),
    ("negative area", home(total_area=-1), "invalid:total_area"),
    ("huge area", home(usable_area=5_000.5, total_area=6_000), "invalid:usable_area"),
    ("more usable than total", home(usable_area=201), "invalid:total_area_lt_bra"),
    ("area twice", home(bra=150), "ambiguous:usable_area"),
    ("neither area", without("usable_area"), "missing:usable_area"),
    ("floor", home(floor=101), "invalid:floor"),
    ("bedrooms", home(bedrooms=-1), "invalid:bedrooms"),
    ("rooms", home(rooms=201), "invalid:rooms"),
    ("text for an ignored field", home(gnr_number="1"), "invalid_type:gnr_number"),
]


@pytest.mark.parametrize(
    ("body", "code"), [case[1:] for case in INVALID], ids=[case[0] for case in INVALID]
)
def test_an_invalid_property_is_422(
    stub_client: FlaskClient, body: bytes, code: str | None
) -> None:
    answer = stub_client.post("/estimate", data=body, content_type="application/json")
    problem = is_problem(answer, 422)
    assert problem["type"] == "urn:ree:problem:invalid-properties"
    codes = [error["code"] for error in problem["errors"]]
    assert code is None or [found for found in codes if found.startswith(code)]


QUERIES = [
    ("valuation_date=", "invalid:valuation_date"),
    ("valuation_date=2026-2-9", "invalid:valuation_date"),
    ("valuation_date=2026-W07-1", "invalid:valuation_date"),
    ("valuation_date=20260209", "invalid:valuation_date"),
    ("valuation_date=2026-040", "invalid:valuation_date"),
    ("valuation_date=2026-02-30", "invalid:valuation_date"),
    ("valuation_date=0000-01-01", "invalid:valuation_date"),
    ("valuation_date=2026-02-09T00:00:00", "invalid:valuation_date"),
    ("valuation_date=2026-02-09%0A", "invalid:valuation_date"),
    ("valuation_date=%D9%A2026-02-09", "invalid:valuation_date"),
    ("valuation_date=today", "invalid:valuation_date"),
    ("valuation_date=2026-02-09&valuation_date=2026-02-09", "ambiguous:valuation_date"),
    ("on_invalid=", "invalid:on_invalid"),
    ("on_invalid=SKIP", "invalid:on_invalid"),
    ("on_invalid=skip,fail", "invalid:on_invalid"),
    ("on_invalid=skip&on_invalid=skip", "ambiguous:on_invalid"),
    ("explain=", "invalid:explain"),
    ("explain=True", "invalid:explain"),
    ("explain=1", "invalid:explain"),
    ("explain=true&explain=true", "ambiguous:explain"),
    ("coverage=", "invalid:coverage"),
    ("coverage=0.90", "invalid:coverage"),
    ("coverage=90", "invalid:coverage"),
    ("coverage=nan", "invalid:coverage"),
    ("coverage=0.9&coverage=0.9", "ambiguous:coverage"),
    ("Valuation_date=2026-02-09", "unknown:Valuation_date"),
    ("=1", "unknown:"),
    ("%FF=1", "unknown:%FF"),
    ("%C3%A5=1", "unknown:\\xe5"),
]


@pytest.mark.parametrize(("query", "code"), QUERIES)
def test_an_invalid_query_is_422(stub_client: FlaskClient, query: str, code: str) -> None:
    answer = stub_client.post(f"/estimate?{query}", json={"1": HOUSE})
    problem = is_problem(answer, 422)
    assert [error["code"] for error in problem["errors"]] == [code]
    assert problem["errors"][0]["field"] == code.partition(":")[2]
    assert problem["errors"][0]["property_id"] is None


def test_all_of_a_query_is_told_at_once(stub_client: FlaskClient) -> None:
    answer = stub_client.post("/estimate?a=1&valuation_date=x&on_invalid=y", json={})
    assert is_problem(answer, 422)["errors_total"] == 3


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/jsonx",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; version=1",
    ],
)
def test_another_media_type_is_415(stub_client: FlaskClient, content_type: str | None) -> None:
    answer = stub_client.post("/estimate", data=home(), content_type=content_type)
    is_problem(answer, 415)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        'application/json; charset="UTF-8"',
    ],
)
def test_json_in_utf_8_is_taken(stub_client: FlaskClient, content_type: str) -> None:
    answer = stub_client.post("/estimate", data=home(), content_type=content_type)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("encoding", "status"), [("gzip", 415), ("br", 415), ("gzip, identity", 415), ("identity", 200)]
)
def test_a_content_encoding_is_415(stub_client: FlaskClient, encoding: str, status: int) -> None:
    answer = stub_client.post(
        "/estimate",
        data=home(),
        content_type="application/json",
        headers={"Content-Encoding": encoding},
    )
    if status == 200:
        assert answer.status_code == 200
    else:
        is_problem(answer, 415)


@pytest.mark.parametrize("more", [0, 1, 2])
@pytest.mark.parametrize("chunked", [False, True])
def test_too_many_bytes_are_413(stub_client: FlaskClient, more: int, chunked: bool) -> None:
    body = home()
    body += b" " * (LIMIT + more - len(body))
    environ: dict[str, Any] = {"wsgi.input_terminated": True} if chunked else {}
    headers = {"Transfer-Encoding": "chunked", "Content-Length": ""} if chunked else {}
    answer = stub_client.post(
        "/estimate",
        data=body,
        content_type="application/json",
        headers=headers,
        environ_overrides=environ,
    )
    if more:
        assert str(LIMIT) in is_problem(answer, 413)["detail"]
    else:
        assert answer.status_code == 200


def test_a_long_id_is_cut_in_the_problem(stub_client: FlaskClient) -> None:
    problem = is_problem(stub_client.post("/estimate", json={"x" * 100_000: {}}), 422)
    assert problem["errors"][0]["property_id"] == "x" * 64


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FEATURES = st.dictionaries(
    st.sampled_from([*HOUSE, "bra", "floor", "bedrooms", "rooms", "gnr_number", "x"]), VALUES
)
HOMES = FEATURES.map(lambda features: HOUSE | features)
BATCHES = st.dictionaries(st.text(max_size=70), HOMES | FEATURES | VALUES, max_size=4)


@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(body=BATCHES | VALUES, skip=st.booleans(), day=st.dates())
def test_no_json_is_a_defect(stub_client: FlaskClient, body: Any, skip: bool, day: Any) -> None:
    query = {"on_invalid": "skip" if skip else "fail", "valuation_date": day.isoformat()}
    answer = stub_client.post(
        "/estimate",
        data=json.dumps(body),
        content_type="application/json",
        query_string=query,
    )
    if answer.status_code == 200:
        assert list(answer.get_json()) == list(body)
    else:
        is_problem(answer, answer.status_code)
        assert answer.status_code in (400, 422)


@settings(deadline=None, max_examples=200)
@given(
    body=st.binary(max_size=200),
    content_type=st.sampled_from(["application/json"]) | st.text(st.characters(max_codepoint=126)),
)
def test_no_bytes_are_a_defect(stub_client: FlaskClient, body: bytes, content_type: str) -> None:
    content_type = "".join(letter for letter in content_type if letter.isprintable())
    answer = stub_client.post("/estimate", data=body, content_type=content_type)
    assert answer.status_code in (400, 415, 422)
    is_problem(answer, answer.status_code)
