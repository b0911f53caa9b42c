"""Everything that can be set, read once from the environment and `.env`."""

import os
import re
import warnings
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import field, fields, frozen
from dotenv import dotenv_values

from ..domain.errors import ReeError
from ..domain.estimate import ValuationDates
from ..domain.gating import GatingPolicy
from .client_keys import MOST_A_MINUTE, ClientKey, read_client_keys
from .seal import key_bytes

PREFIX = "REE_"
_FOLDER = Path(".ree")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
"""As browsers send one: in small letters, without a path."""
_QUOTED = "(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_AMQP = re.compile(
    f"amqps?://(?:{_QUOTED}*(?::{_QUOTED}*)?@)?"
    r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    rf"(?:/(?:/|{_QUOTED})*)?"
)
T = TypeVar("T")


class WrongSetting(ReeError):
    """A setting that cannot be used; a secret's value is never shown."""

    def __init__(self, name: str, shown: str, expected: str) -> None:
        super().__init__(f"{name} is {shown}; expected {expected}. Correct it and start again.")


class UnknownSetting(UserWarning):
    """A name that begins like a setting and is none."""


def _option(default: T, read: Callable[[str], Any], expected: str, *, secret: bool = False) -> T:
    """One setting; *read* raises ValueError for a text that is not *expected*."""
    metadata = {"read": read, "expected": expected, "secret": secret}
    option: T = field(default=default, repr=not secret, metadata=metadata)
    return option


def _integer(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return read


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not (isfinite(value) and low <= value <= high):
            raise ValueError(text)
        return value

    return read


def _one_of(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError(text)
        return text

    return read


def _truth(text: str) -> bool:
    return _one_of("true", "false")(text) == "true"


def _matching(pattern: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return read


def _text(text: str) -> str:
    if not text.isprintable():
        raise ValueError(text)
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(text)
    if parts.port == 0:  # asking for it refuses what is above 65535
        raise ValueError(text)
    return text.rstrip("/")


def _broker(text: str) -> str:
    """What a password may hold would else be taken for the host, and shown."""
    if text != "memory://" and not (_AMQP.fullmatch(text) and urlsplit(text).port != 0):
        raise ValueError(text)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(text) from error
    return text


def _signing_key(text: str) -> str:
    key_bytes(text)
    return text


def _verify_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(","))
    for key in keys:
        key_bytes(key)
    return keys


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(origin.strip() for origin in text.split(","))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin) or urlsplit(origin).port == 0:
            raise ValueError(origin)
    return origins


_percent = _number(0, 1_000)
_rows = _integer(1, 10_000_000)
_months = _integer(1, 1_200)
_key = _matching("[!-~]+")
_bucket = _matching("[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")


@frozen
class Settings:
    """The settings with their defaults; each is read from REE_ and its name in capitals."""

    env: str = _option("development", _text, "a name, as production")
    log_level: str = _option(
        "INFO",
        _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
        "DEBUG, INFO, WARNING or ERROR",
    )
    log_format: str = _option("console", _one_of("console", "json"), "console or json")
    host: str = _option("127.0.0.1", _text, "an address to listen on")
    port: int = _option(8000, _integer(0, 65_535), "a port, 0 to 65535")
    metrics_port: int = _option(0, _integer(0, 65_535), "a port, 0 to 65535")
    client_keys: tuple[ClientKey, ...] = _option(
        (),
        read_client_keys,
        "NAME:SHA256 or NAME:SHA256:N as `ree keys client` prints it, with commas between",
        secret=True,  # for the key itself may be put there by mistake
    )
    client_rate: int = _option(
        0, _integer(0, MOST_A_MINUTE), f"requests a minute, 0 to {MOST_A_MINUTE}"
    )
    cors_origins: tuple[str, ...] = _option(
        (), _origins, "origins as https://app.example, with commas between"
    )
    storage: str = _option("filesystem", _one_of("filesystem", "s3"), "filesystem or s3")
    storage_path: Path = _option(_FOLDER, Path, "a folder")  # noqa: RUF009
    storage_single_writer: bool = _option(False, _truth, "true or false")
    s3_endpoint: str | None = _option(None, _url, "a URL as https://s3.example, without a user")
    s3_access_key: str | None = _option(None, _key, "a text without spaces", secret=True)
    s3_secret_key: str | None = _option(None, _key, "a text without spaces", secret=True)
    s3_region: str = _option(
        "us-east-1", _matching("[A-Za-z0-9-]{1,63}"), "a region, as us-east-1, or auto for GCS"
    )
    s3_bucket_models: str = _option("ree-models", _bucket, "a bucket's name, as ree-models")
    s3_bucket_snapshots: str = _option(
        "ree-snapshots", _bucket, "a bucket's name, as ree-snapshots"
    )
    api_base_url: str | None = _option(None, _url, "a URL as https://api.example, without a user")
    api_key: str | None = _option(None, _text, "a printable text", secret=True)
    signing_key: str | None = _option(
        None, _signing_key, "a private key as `ree keys generate` prints it", secret=True
    )
    verify_keys: tuple[str, ...] = _option(
        (),
        _verify_keys,
        "public keys as `ree keys generate` prints them, with commas between",
        secret=True,  # for the private one may be put there by mistake
    )
    model_refresh_seconds: float = _option(60.0, _number(0.1, 86_400), "seconds, 0.1 to 86400")
    max_batch: int = _option(10_000, _integer(1, 1_000_000), "a count, 1 to 1000000")
    body_timeout: float = _option(10.0, _number(0.1, 3_600), "seconds, 0.1 to 3600")
    valuation_warn_months: int = _option(6, _months, "months, 1 to 1200")
    valuation_max_months: int = _option(18, _months, "months, 1 to 1200")
    train_window_months: int = _option(12, _months, "months, 1 to 1200")
    celery_broker_url: str | None = _option(
        None,
        _broker,
        "a URL as amqp://user:password@rabbitmq.example:5672/vhost, in which signs of the user, "
        "the password and the vhost as @ : / ? # % are quoted: %40 %3A %2F %3F %23 %25",
        secret=True,
    )
    celery_timezone: str = _option("Europe/Oslo", _zone, "a time zone, as Europe/Oslo")
    celery_time_limit: int = _option(1_500, _integer(60, 86_400), "seconds, 60 to 86400")
    celery_retry_seconds: float = _option(120.0, _number(0, 86_400), "seconds, 0 to 86400")
    worker_metrics_port: int = _option(0, _integer(0, 65_535), "a port, 0 to 65535")
    pushgateway_url: str | None = _option(
        None, _url, "a URL as http://pushgateway.example:9091, without a user"
    )
    train_min_rows: int = _option(500, _rows, "a count of rows, 1 or more")
    gate_overall_mae_max_degrade_pct: float = _option(5.0, _percent, "a percentage, 0 to 1000")
    gate_overall_wape_max_degrade_pct: float = _option(10.0, _percent, "a percentage, 0 to 1000")
    gate_enebolig_mae_max_degrade_pct: float = _option(7.0, _percent, "a percentage, 0 to 1000")
    gate_enebolig_wape_max_degrade_pct: float = _option(12.0, _percent, "a percentage, 0 to 1000")
    gate_coverage_tolerance: float = _option(3.0, _number(0, 100), "percentage points, 0 to 100")
    gate_segment_min_rows: int = _option(30, _rows, "a count of rows, 1 or more")
    gate_tail_min_rows: int = _option(200, _rows, "a count of rows, 1 or more")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values that are set, and what is secret inside them."""
        keys = (self.s3_access_key, self.s3_secret_key, self.api_key, self.signing_key)
        broker = self.celery_broker_url
        inside = unquote(urlsplit(broker).password or "") if broker else None
        hashes = (key.digest.hex() for key in self.client_keys)
        return tuple(text for text in (*keys, broker, inside, *hashes) if text)

    @property
    def policy(self) -> GatingPolicy:
        """The gate with these limits."""
        return GatingPolicy(
            min_rows=self.train_min_rows,
            overall_limit=self.gate_overall_mae_max_degrade_pct / 100,
            overall_wape_limit=self.gate_overall_wape_max_degrade_pct / 100,
            enebolig_limit=self.gate_enebolig_mae_max_degrade_pct / 100,
            enebolig_wape_limit=self.gate_enebolig_wape_max_degrade_pct / 100,
            coverage_tolerance=self.gate_coverage_tolerance / 100,
            segment_min_rows=self.gate_segment_min_rows,
            tail_min_rows=self.gate_tail_min_rows,
        )

    @property
    def valuation_dates(self) -> ValuationDates:
        """How far from the data a valuation may be."""
        return ValuationDates(self.valuation_warn_months, self.valuation_max_months)


def load_settings(environ: Mapping[str, str] | None = None, dotenv: str = ".env") -> Settings:
    """From the environment, and from `.env` what that leaves open.

    WrongSetting; a name with the prefix that is no setting is warned of (UnknownSetting). An empty
    value counts as not set.
    """
    from_file = {name: value or "" for name, value in dotenv_values(dotenv).items()}
    own = os.environ if environ is None else environ
    given = from_file | {name: value for name, value in own.items() if value}
    options = {PREFIX + option.name.upper(): option for option in fields(Settings)}
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in options:
            near = get_close_matches(name, options, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            warnings.warn(f"{name} is not a setting{hint}", UnknownSetting, stacklevel=2)
    values = {}
    for name, option in options.items():
        text = given.get(name, "")
        if text:
            values[option.name] = _read(name, text, option.metadata)
    if values.get("env") == "production":
        values.setdefault("log_format", "json")
    settings = Settings(**values)
    _check_pair("s3_access_key", "s3_secret_key", settings)
    return settings


def _check_pair(one: str, other: str, settings: Settings) -> None:
    """Both or none of two settings; half a pair would be taken for none."""
    for missing, given in ((one, other), (other, one)):
        if getattr(settings, given) and not getattr(settings, missing):
            raise WrongSetting(
                PREFIX + missing.upper(),
                "not set",
                f"its value, since {PREFIX}{given.upper()} is set",
            )


def _read(name: str, text: str, metadata: Mapping[Any, Any]) -> Any:
    try:
        return metadata["read"](text)
    except ValueError:
        public = re.sub(r"//.*@", "//...@", text)
        shown = "set to a secret that cannot be used" if metadata["secret"] else repr(public[:80])
        raise WrongSetting(name, shown, metadata["expected"]) from None
