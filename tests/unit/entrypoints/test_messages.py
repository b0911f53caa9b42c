"""Which messages a worker takes, and what is left of them."""

import json
from typing import Any

import pytest
from kombu import Message

from ree.entrypoints.messages import Unusable, headers_of_task

SOUND = {"task": "ree.train", "id": "7f1"}
TASKS = {"ree.train", "celery.map"}


def headers(given: dict[str, Any], body: object = ([], {}, None)) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    message = Message(text, content_type="application/json", content_encoding="utf-8")
    message.headers = given
    return headers_of_task(message, TASKS)


def test_what_tasks_read_is_kept() -> None:
    given = SOUND | {
        "retries": 2,
        "eta": "2026-03-01T02:05:00.5+00:00",
        "expires": "2026-03-02T02:05:00Z",
        "origin": "gen1@host",
        "ree_request_id": "it.7",
        "ree_run_id": "20260301-0",
        "ree_asked_at": "2026-03-01T02:05:00+00:00",
        "celery_beat_task": True,
        "x-delivery-count": 4,
    }
    assert headers(given) == given
    assert headers(SOUND | {"eta": None, "retries": 0}) == SOUND | {"retries": 0}


@pytest.mark.parametrize(
    "other",
    [
        {"timelimit": ["x", "y"]},
        {"timelimit": [86_400, None]},
        {"argsrepr": "secret"},
        {"shadow": "another"},
        {"callbacks": [{"task": "ree.train"}]},
        {"ignore_result": False},
        {"x-delivery-count": "abc"},
        {"x-delivery-count": True},
        {"x-delivery-count": -1},
        {"x-delivery-count": 2**40},
    ],
)
def test_what_only_celery_would_heed_is_not(other: dict[str, Any]) -> None:
    assert headers(SOUND | other) == SOUND


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"id": "1"}, "header task"),
        (SOUND | {"task": ["ree.train"]}, "header task"),
        (SOUND | {"task": "ree.nope"}, "header task"),
        (SOUND | {"task": "celery.map"}, "header task"),
        ({"task": "ree.train"}, "header id"),
        (SOUND | {"id": 5}, "header id"),
        (SOUND | {"id": "a\nb"}, "header id"),
        (SOUND | {"id": "x" * 256}, "header id"),
        (SOUND | {"retries": "abc"}, "header retries"),
        (SOUND | {"retries": True}, "header retries"),
        (SOUND | {"eta": "nonsense"}, "header eta"),
        (SOUND | {"eta": 5}, "header eta"),
        (SOUND | {"eta": "9999-12-31T23:59:59-14:00"}, "header eta"),
        (SOUND | {"expires": [1]}, "header expires"),
    ],
)
def test_a_header_that_is_wrong_is_named(given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(Unusable, match=wrong):
        headers(given)


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "[[], {}]", "null", "[5, 6, 7]", "{}", "{bad", "[[], [], {}]", "[[], {}, []]",
        "[[], {}, {}, {}]", '[[], {}, {"chain": ["x"]}]', '[[], {}, {"errbacks": ["x"]}]',
        f'[[{"[" * 900}{"]" * 900}], {{}}, {{}}]', '{"task": "ree.train", "id": "1"}',
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_wrong(body: str) -> None:
    with pytest.raises(Unusable, match="body"):
        headers(SOUND, body)


@pytest.mark.parametrize(
    "body",
    [
        [["a", 1, None, True], {"publish": False}, {"callbacks": None, "chord": None}],
        [[], {}, None],
        [[["x"]], {"a": {"b": 1}}, {}],  # the task tells what is wrong with it
    ],
)
def test_arguments_are_what_they_are(body: object) -> None:
    assert headers(SOUND, body) == SOUND
