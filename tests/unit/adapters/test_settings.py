"""Settings from the environment and `.env`."""

import traceback
import warnings
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import fields

from ree.adapters.client_keys import ClientKey
from ree.adapters.settings import Settings, UnknownSetting, WrongSetting, load_settings
from ree.domain.estimate import ValuationDates
from ree.domain.gating import GatingPolicy

CANARY = "canary-7f3a9"


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def load(environ: Mapping[str, str], dotenv: Path | None = None) -> Settings:
    return load_settings(environ, str(dotenv or "/nonexistent/.env"))


def test_without_any_the_defaults_hold() -> None:
    settings = load({})
    assert settings == Settings()
    assert settings.policy == GatingPolicy()
    assert settings.valuation_dates == ValuationDates()
    assert (settings.port, settings.max_batch) == (8000, 10_000)
    assert settings.model_refresh_seconds == 60
    assert settings.storage_path == Path(".ree")


PRIVATE, PUBLIC = (b64encode(bytes([number] * 32)).decode() for number in (1, 2))
OTHER = b64encode(bytes(range(32))).decode()
HASH = "0" * 64
GOOD: list[tuple[str, str, Any]] = [
    ("env", "production", "production"),
    ("log_level", "WARNING", "WARNING"),
    ("log_format", "json", "json"),
    ("host", "::", "::"),
    ("port", "0", 0),
    ("port", "65535", 65_535),
    ("metrics_port", "0", 0),
    ("metrics_port", "65535", 65_535),
    ("client_keys", f"web:{HASH}", (ClientKey("web", bytes(32)),)),
    (
        "client_keys",
        f"a.b-c_1:{HASH}:60, old:{'f' * 64}:0",
        (ClientKey("a.b-c_1", bytes(32), 60), ClientKey("old", b"\xff" * 32, 0)),
    ),
    ("client_rate", "0", 0),
    ("client_rate", "1000000", 1_000_000),
    ("cors_origins", "https://app.example", ("https://app.example",)),
    (
        "cors_origins",
        "http://localhost:3000, https://[::1]:8443",
        ("http://localhost:3000", "https://[::1]:8443"),
    ),
    ("storage", "filesystem", "filesystem"),
    ("storage", "s3", "s3"),
    ("storage", "s3", "s3"),
    ("storage_path", "/var/lib/ree", Path("/var/lib/ree")),
    ("storage_single_writer", "true", True),
    ("storage_single_writer", "false", False),
    ("s3_endpoint", "http://127.0.0.1:8333/", "http://127.0.0.1:8333"),
    ("s3_region", "auto", "auto"),
    ("s3_bucket_models", "our.models_2", "our.models_2"),
    ("s3_bucket_snapshots", "our-snapshots", "our-snapshots"),
    ("storage_single_writer", "true", True),
    ("storage_single_writer", "false", False),
    ("s3_endpoint", "https://storage.googleapis.com", "https://storage.googleapis.com"),
    ("s3_access_key", "AK", "AK"),
    ("s3_secret_key", "a/b+c=", "a/b+c="),
    ("s3_region", "auto", "auto"),
    ("s3_bucket_models", "models.example-1", "models.example-1"),
    ("s3_bucket_snapshots", "abc", "abc"),
    ("api_base_url", "https://api.example/v1/", "https://api.example/v1"),
    ("api_base_url", "http://localhost:8080", "http://localhost:8080"),
    ("api_key", "a key!", "a key!"),
    ("signing_key", PRIVATE, PRIVATE),
    ("verify_keys", PUBLIC, (PUBLIC,)),
    ("verify_keys", f"{PUBLIC}, {OTHER}", (PUBLIC, OTHER)),
    ("model_refresh_seconds", "0.1", 0.1),
    ("model_refresh_seconds", "86400", 86_400),
    ("max_batch", "1", 1),
    ("max_batch", "1000000", 1_000_000),
    ("body_timeout", "0.1", 0.1),
    ("body_timeout", "3600", 3_600.0),
    ("valuation_warn_months", "1", 1),
    ("valuation_max_months", "1200", 1_200),
    ("celery_broker_url", "amqp://u:p@127.0.0.1:5672//", "amqp://u:p@127.0.0.1:5672//"),
    ("celery_broker_url", "memory://", "memory://"),
    *(
        ("celery_broker_url", url, url)
        for url in (
            "amqp://u:p%40ss%2Fw@host//",
            "amqps://mq.example",
            "amqp://[::1]:65535/",
            "amqp://u@h",
            "amqp://u:p@h/%2Fvhost",
            "amqp://u:p@h:5671/ree.test",
        )
    ),
    ("celery_timezone", "Europe/Oslo", "Europe/Oslo"),
    ("celery_timezone", "UTC", "UTC"),
    ("celery_time_limit", "60", 60),
    ("celery_time_limit", "86400", 86_400),
    ("celery_retry_seconds", "0", 0.0),
    ("celery_retry_seconds", "86400", 86_400.0),
    ("worker_metrics_port", "9100", 9_100),
    ("pushgateway_url", "http://127.0.0.1:9091/", "http://127.0.0.1:9091"),
    ("train_window_months", "1", 1),
    ("train_window_months", "1200", 1_200),
    ("train_min_rows", "1", 1),
    ("train_min_rows", "10000000", 10_000_000),
    ("gate_overall_mae_max_degrade_pct", "0", 0),
    ("gate_overall_mae_max_degrade_pct", "1000", 1_000),
    ("gate_overall_wape_max_degrade_pct", "2.5", 2.5),
    ("gate_enebolig_mae_max_degrade_pct", "0", 0),
    ("gate_enebolig_wape_max_degrade_pct", "1000", 1_000),
    ("gate_coverage_tolerance", "2.5", 2.5),
    ("gate_segment_min_rows", "1", 1),
    ("gate_tail_min_rows", "1", 1),
]
BAD: list[tuple[str, list[str]]] = [
    ("env", ["a\nb"]),
    ("log_level", ["info", "LOUD"]),
    ("log_format", ["JSON", "text"]),
    ("host", ["a\tb"]),
    ("port", ["-1", "65536", "80.5", "http"]),
    ("metrics_port", ["-1", "65536"]),
    (
        "client_keys",
        [
            "web",
            HASH,
            f"web:{HASH[1:]}",
            f"web:{'F' * 64}",
            f"web:{HASH}:",
            f"web:{HASH}:-1",
            f"web:{HASH}:1000001",
            f"web:{HASH}:\u0661",
            f"web:{HASH},",
            f"web:{HASH},web:{'1' * 64}",
            f"web:{HASH},app:{HASH}",
            f"we b:{HASH}",
            f"{'w' * 33}:{HASH}",
            f"web:{HASH};app:{'1' * 64}",
        ],
    ),
    ("client_rate", ["-1", "1000001", "0.5"]),
    (
        "cors_origins",
        [
            "*",
            "app.example",
            "https://app.example/",
            "https://app.example/x",
            "https://*.example",
            "https://APP.example",
            "https://app.example:0",
            "https://app.example:65536",
            "https://me@app.example",
            "https://app.example,",
            "null",
            "ftp://app.example",
        ],
    ),
    ("storage", ["ftp", "Filesystem", "S3"]),
    ("storage_single_writer", ["1", "yes", "True", "on"]),
    (
        "s3_endpoint",
        ["s3.example", "s3://bucket", "https://me:pw@s3.example", "http://s3.example:0"],
    ),
    ("s3_access_key", ["a b", "å", "a\n"]),
    ("s3_secret_key", ["a b", "å", "a\n"]),
    ("s3_region", ["eu north", "eu_north", "a" * 64]),
    ("s3_bucket_models", ["ab", "Models", "a/b", "-models", "a" * 64]),
    ("s3_bucket_snapshots", ["ab", "Snapshots", "a/b", "snapshots.", "a" * 64]),
    ("storage_single_writer", ["1", "True", "yes"]),
    ("s3_endpoint", ["storage.example", "ftp://a", "https://me:pw@a", "https://a:65536"]),
    ("s3_access_key", ["a b", "a\nb", "å"]),
    ("s3_secret_key", ["a b", "a\nb", "å"]),
    ("s3_region", ["a b", "a/b"]),
    ("s3_bucket_models", ["Models", "a/b", "ab", "-ab", "a" * 64]),
    ("s3_bucket_snapshots", ["..", "a b c"]),
    (
        "api_base_url",
        ["api.example", "ftp://api.example", "https://", "https://me:pw@a", "http://["],
    ),
    ("api_key", ["a\nb"]),
    ("signing_key", ["x", "AAAA", f"{PRIVATE},{PRIVATE}", "é"]),
    ("verify_keys", ["x", "AAAA", f"{PUBLIC},", f"{PUBLIC};{OTHER}", "é"]),
    ("model_refresh_seconds", ["0", "0.09", "86401", "nan", "inf", "soon"]),
    ("max_batch", ["0", "1000001"]),
    ("body_timeout", ["0.09", "3601", "nan", "x"]),
    ("valuation_warn_months", ["0", "1201"]),
    ("valuation_max_months", ["0", "1201"]),
    (
        "celery_broker_url",
        [
            "redis://127.0.0.1",
            "sqla+sqlite:///x",
            "amqp://",
            "127.0.0.1",
            "amqp://u:p@h:99999//",
            "amqp://u:p@h:0/",
            "amqp://u:p@h:x/",
            "amqp://u:p@ss/w@host//",
            "amqp://u:p@ss@host/",
            "amqp://u:p/w@host/",
            "amqp://u:p#w@host/",
            "amqp://u:p?w@host/",
            "amqp://u:p%w@host/",
            "amqp://u:p@h/v?heartbeat=5",
            "amqp://u:p@h;amqp://u:p@g",
            "amqp://u:p@h/\n",
        ],
    ),
    ("celery_timezone", ["Oslo", "Europe/Atlantis", "../../etc/passwd", "+01:00"]),
    ("celery_time_limit", ["59", "86401", "soon"]),
    ("celery_retry_seconds", ["-1", "86401", "nan", "soon"]),
    ("worker_metrics_port", ["-1", "65536", "http"]),
    ("pushgateway_url", ["127.0.0.1:9091", "http://user:secret@host", "amqp://host"]),
    ("train_window_months", ["0", "1201", "1.5"]),
    ("train_min_rows", ["0", "10000001"]),
    ("gate_overall_mae_max_degrade_pct", ["-0.1", "1000.1", "nan", "inf", "5 %"]),
    ("gate_overall_wape_max_degrade_pct", ["-1", "1001"]),
    ("gate_enebolig_mae_max_degrade_pct", ["-1", "1001"]),
    ("gate_enebolig_wape_max_degrade_pct", ["-1", "1001"]),
    ("gate_coverage_tolerance", ["-0.1", "100.1", "3 points"]),
    ("gate_segment_min_rows", ["0", "10000001"]),
    ("gate_tail_min_rows", ["0", "10000001"]),
]


PAIR = ("s3_access_key", "s3_secret_key")


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_a_setting_is_read(name: str, text: str, value: Any) -> None:
    pair = {"REE_S3_ACCESS_KEY": "AK", "REE_S3_SECRET_KEY": "SK"} if "s3_" in name else {}
    assert getattr(load(pair | {f"REE_{name.upper()}": text}), name) == value


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD for text in texts])
def test_a_wrong_value_stops_the_program_and_says_what_was_expected(name: str, text: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        load({f"REE_{name.upper()}": text})
    option = {option.name: option for option in fields(Settings)}[name]
    assert str(caught.value).startswith(f"REE_{name.upper()} is ")
    assert option.metadata["expected"] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["REE_S3_ACCESS_KEY", "REE_S3_SECRET_KEY"])
def test_half_a_pair_of_keys_stops_the_program(name: str) -> None:
    with pytest.raises(WrongSetting, match=r"REE_S3_\w+_KEY") as caught:
        load({name: CANARY})
    assert CANARY not in str(caught.value)


def test_every_setting_is_tried_above() -> None:
    names = {option.name for option in fields(Settings)}
    assert {name for name, _, _ in GOOD} | set(PAIR) == names
    assert {name for name, _ in BAD} == names - {"storage_path"}


def test_the_gate_takes_its_limits_from_the_settings() -> None:
    settings = load(
        {
            "REE_TRAIN_MIN_ROWS": "11",
            "REE_GATE_OVERALL_MAE_MAX_DEGRADE_PCT": "1",
            "REE_GATE_OVERALL_WAPE_MAX_DEGRADE_PCT": "2",
            "REE_GATE_ENEBOLIG_MAE_MAX_DEGRADE_PCT": "3",
            "REE_GATE_ENEBOLIG_WAPE_MAX_DEGRADE_PCT": "4",
            "REE_GATE_COVERAGE_TOLERANCE": "5",
            "REE_GATE_SEGMENT_MIN_ROWS": "12",
            "REE_GATE_TAIL_MIN_ROWS": "13",
            "REE_VALUATION_WARN_MONTHS": "14",
            "REE_VALUATION_MAX_MONTHS": "15",
        }
    )
    assert settings.policy == GatingPolicy(11, 0.01, 0.02, 0.03, 0.04, 0.05, 12, 13)
    assert settings.valuation_dates == ValuationDates(14, 15)


def test_the_two_keys_of_the_storage_are_read() -> None:
    settings = load({"REE_S3_ACCESS_KEY": "AK", "REE_S3_SECRET_KEY": "a/b+c="})
    assert (settings.s3_access_key, settings.s3_secret_key) == ("AK", "a/b+c=")


@pytest.mark.parametrize(("given", "missing"), [PAIR, PAIR[::-1]])
def test_one_key_without_the_other_stops_the_program(given: str, missing: str) -> None:
    with pytest.raises(WrongSetting, match=f"REE_{missing.upper()} is not set") as caught:
        load({f"REE_{given.upper()}": CANARY})
    assert CANARY not in str(caught.value)
    assert f"REE_{given.upper()}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_wrong_value_is_cut() -> None:
    with pytest.raises(WrongSetting) as caught:
        load({"REE_PORT": "9" * 100_000 + "x"})
    assert len(str(caught.value)) < 300


# Names


@pytest.mark.parametrize(
    ("name", "hint"),
    [("REE_MAX_BACH", "did you mean REE_MAX_BATCH?"), ("REE_ZZZZZZZZ", "setting$")],
)
def test_an_unknown_name_is_a_warning_with_a_hint(name: str, hint: str) -> None:
    with pytest.warns(UnknownSetting, match=f"{name} is not a .*{hint}".replace("?", r"\?")):
        assert load({name: CANARY}) == Settings()


def test_other_programs_names_are_none_of_ours() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load({"PORT": "x", "PATH": "/bin", "ree_port": "9", "REEF_PORT": "9"}) == Settings()


# .env


def test_a_dotenv_file_is_honoured_and_the_environment_wins(dotenv: Path) -> None:
    dotenv.write_text(
        "# ours\nREE_PORT=9000\nexport REE_HOST='ree.local'\nREE_ENV=staging\nOTHER=1\n"
    )
    settings = load({"REE_ENV": "production"}, dotenv)
    assert (settings.port, settings.host, settings.env) == (9000, "ree.local", "production")


@pytest.mark.parametrize("text", ["REE_PORT=\n", "REE_PORT\n", ""])
def test_what_is_empty_is_not_set(dotenv: Path, text: str) -> None:
    dotenv.write_text(text)
    assert load({"REE_PORT": "", "REE_API_KEY": ""}, dotenv) == Settings()


def test_what_is_empty_in_the_environment_is_left_to_the_file(dotenv: Path) -> None:
    dotenv.write_text("REE_PORT=9000\n")
    assert load({"REE_PORT": ""}, dotenv).port == 9000


def test_the_real_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REE_PORT", "9001")
    assert load_settings(dotenv="/nonexistent/.env").port == 9001


def test_a_wrong_value_in_the_file_stops_the_program_too(dotenv: Path) -> None:
    dotenv.write_text("REE_PORT=http\n")
    with pytest.raises(WrongSetting, match="REE_PORT is 'http'"):
        load({}, dotenv)


# Secrets


def test_a_secret_is_not_shown() -> None:
    names = ("API_KEY", "S3_ACCESS_KEY", "S3_SECRET_KEY")
    settings = load({f"REE_{name}": CANARY for name in names})
    assert settings.api_key == settings.s3_access_key == settings.s3_secret_key == CANARY
    assert CANARY not in repr(settings)
    assert CANARY not in str(settings)


@pytest.mark.parametrize(
    "environ",
    [
        {"REE_API_KEY": f"{CANARY}\n"},
        {"REE_S3_SECRET_KEY": f"{CANARY} "},
        {"REE_S3_ACCESS_KEY": f"{CANARY} "},
        {"REE_SIGNING_KEY": CANARY},
        {"REE_CLIENT_KEYS": CANARY},
        {"REE_CLIENT_KEYS": f"web:{CANARY}"},
        {"REE_S3_ACCESS_KEY": "AK", "REE_S3_SECRET_KEY": f"{CANARY} "},
        {"REE_API_KEY": CANARY, "REE_PORT": "http"},
        {"REE_API_BASE_URL": f"https://me:{CANARY}@api.example"},
    ],
)
def test_a_secret_is_not_shown_in_an_error(environ: Mapping[str, str]) -> None:
    with pytest.raises(WrongSetting) as caught:
        load(environ)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in repr(caught.value)


def test_a_secret_with_a_mistyped_name_is_not_shown() -> None:
    with pytest.warns(UnknownSetting) as caught:
        load({"REE_APIKEY": CANARY})
    assert all(CANARY not in str(warning.message) for warning in caught)
