"""What an object store on S3 promises besides: on a broken line, and to storages of all kinds."""

import logging
import re
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic
from uuid import uuid4

import pytest
from attrs import evolve

from ree.adapters import s3_conditions
from ree.adapters.objects import ObjectExists, ObjectMissing, StaleToken
from ree.adapters.s3_bucket import S3Bucket
from ree.adapters.s3_conditions import Conditions
from ree.adapters.s3_errors import Refused
from ree.adapters.s3_objects import S3Objects
from ree.domain.errors import StorageError
from ree.domain.model import ConditionalWrites

from ..servers.access import Access
from ..servers.gcs import Gcs
from ..servers.proxy import Forward, Proxy, Trick, answer, cut, honest, lost, reset, status
from ..servers.seaweedfs import SeaweedFS
from .conftest import BUCKET, emptied

KINDS = {
    "seaweedfs_bucket": ConditionalWrites.ETAG,
    "moto_bucket": ConditionalWrites.ETAG,
    "gcs_bucket": ConditionalWrites.GENERATION,
    "unconditional_bucket": ConditionalWrites.NONE,
}
DOWN = status(500, "InternalError")
BUSY = status(503, "SlowDown")


@pytest.fixture(params=["seaweedfs", "moto"])
def access(request: pytest.FixtureRequest) -> Access:
    """A server by plain HTTP, with an empty bucket."""
    server: SeaweedFS | Access = request.getfixturevalue(request.param)
    emptied(request, f"{request.param}_bucket")
    return server.writer if isinstance(server, SeaweedFS) else server


@pytest.fixture(scope="module")
def lines() -> Iterator[dict[str, tuple[Proxy, S3Objects]]]:
    """By address: boto3 takes its time to make a client."""
    opened: dict[str, tuple[Proxy, S3Objects]] = {}
    yield opened
    for proxy, store in opened.values():
        store.close()
        proxy.__exit__()


@pytest.fixture
def proxy(access: Access, lines: dict[str, tuple[Proxy, S3Objects]]) -> Iterator[Proxy]:
    """Before a server, and honest until a test tells it otherwise."""
    if access.endpoint not in lines:
        made = Proxy(access.endpoint).__enter__()
        behind = evolve(access, endpoint=made.endpoint).store(BUCKET, read_timeout=5.0)
        behind.conditional_writes()
        lines[access.endpoint] = made, behind
    running, _ = lines[access.endpoint]
    running.seen.clear()
    yield running
    running.tricks.clear()
    running.always = honest


@pytest.fixture
def store(
    access: Access,
    proxy: Proxy,
    lines: dict[str, tuple[Proxy, S3Objects]],
    monkeypatch: pytest.MonkeyPatch,
) -> S3Objects:
    """Behind the proxy; it has probed already."""
    monkeypatch.setattr(s3_conditions, "sleep", lambda _: None)
    return lines[access.endpoint][1]


@pytest.fixture(scope="module")
def scripted_line(aws_environment: pytest.MonkeyPatch) -> Iterator[tuple[S3Objects, Proxy]]:
    with Proxy("http://127.0.0.1:9") as line:
        opened = Access(line.endpoint).store(BUCKET, attempts=1)
        opened._probed.append(Conditions(ConditionalWrites.ETAG, opened.bucket.client))
        yield opened, line
        opened.close()


@pytest.fixture
def scripted(scripted_line: tuple[S3Objects, Proxy]) -> Iterator[tuple[S3Objects, Proxy]]:
    """A store that knows how it may write, and what answers in the storage's place."""
    yield scripted_line
    scripted_line[1].tricks.clear()
    scripted_line[1].always = honest


def refused(action: Callable[[], object], *, match: str) -> StorageError:
    """One line that says what to do, of which nothing is secret and nothing is boto's."""
    with pytest.raises(StorageError, match=match) as caught:
        action()
    shown = "".join(traceback.format_exception(caught.value))
    assert "\n" not in str(caught.value)
    assert "7f3a9" not in shown + repr(caught.value)
    assert "ignature=" not in shown
    assert "botocore.exceptions" not in shown
    assert "urllib3" not in shown.replace("urllib3/", "")
    return caught.value


# Lost answers


def test_a_lost_answer_to_a_create_is_recognised(store: S3Objects, proxy: Proxy) -> None:
    proxy.tricks.append(lost)
    store.create("a/b", b"body")
    assert proxy.methods == ["PUT", "PUT", "HEAD"]
    assert store.get("a/b").body == b"body"


def test_a_lost_answer_to_a_replace_is_recognised(store: S3Objects, proxy: Proxy) -> None:
    store.create("pointer", b"old")
    token = store.get("pointer").token
    proxy.tricks.append(lost)
    store.replace("pointer", b"new", token=token)
    assert store.get("pointer").body == b"new"
    with pytest.raises(StaleToken):
        store.replace("pointer", b"newer", token=token)


def test_a_write_that_never_arrived_is_made_again(store: S3Objects, proxy: Proxy) -> None:
    proxy.tricks.append(reset)
    store.create("a", b"body")
    assert store.get("a").body == b"body"


def test_what_somebody_else_stored_meanwhile_is_not_ours(
    access: Access, store: S3Objects, proxy: Proxy
) -> None:
    """Even if it is the same to the byte: whoever created it first is told so, and only they."""
    other = access.store(BUCKET)

    def overtaken(forward: Forward) -> None:
        other.create("a", b"same")

    proxy.tricks.append(overtaken)
    with pytest.raises(ObjectExists):
        store.create("a", b"same")
    token = other.get("a").token

    def replaced(forward: Forward) -> None:
        other.replace("a", b"theirs", token=token)

    proxy.tricks.append(replaced)
    with pytest.raises(StaleToken):
        store.replace("a", b"ours", token=token)
    assert other.get("a").body == b"theirs"
    other.close()


def test_a_lost_answer_whose_object_cannot_be_looked_at_is_no_success(
    store: S3Objects, proxy: Proxy
) -> None:
    proxy.tricks.extend([lost, honest, *[DOWN] * 3])
    refused(lambda: store.create("a", b"body"), match="look at a .*500")


@pytest.mark.parametrize("conflicts", [3, 6])
def test_a_conflict_of_two_requests_is_tried_again(
    store: S3Objects, proxy: Proxy, conflicts: int
) -> None:
    proxy.tricks.extend([status(409, "ConditionalRequestConflict")] * conflicts)
    if conflicts == 3:
        store.create("a", b"body")
        assert store.get("a").body == b"body"
    else:
        refused(lambda: store.create("a", b"body"), match="409 ConditionalRequestConflict")
        assert store.keys("") == []


# A broken line


@pytest.mark.parametrize("trouble", [cut, reset, DOWN, BUSY, lost])
def test_a_read_survives_trouble(store: S3Objects, proxy: Proxy, trouble: Trick) -> None:
    store.create("a", b"body" * 1_000)
    proxy.tricks.extend([trouble] * 2)
    assert store.get("a").body == b"body" * 1_000


def test_a_body_that_never_comes_whole_is_a_storage_error(store: S3Objects, proxy: Proxy) -> None:
    store.create("a", b"body" * 1_000)
    proxy.always = cut
    proxy.seen.clear()
    refused(lambda: store.get("a"), match="read a .*then try again")
    assert len(proxy.seen) == 3


@pytest.mark.parametrize("trouble", [DOWN, BUSY])
def test_a_write_and_a_listing_survive_trouble(
    store: S3Objects, proxy: Proxy, trouble: Trick
) -> None:
    proxy.tricks.extend([trouble] * 2)
    store.create("a", b"body")
    proxy.tricks.extend([trouble] * 2)
    assert store.keys("") == ["a"]


def actions(store: S3Objects) -> list[Callable[[], object]]:
    return [
        lambda: store.get("a"),
        lambda: store.get_if_changed("a", '"0" '),
        lambda: store.keys(""),
        lambda: store.create("a", b""),
        lambda: store.replace("a", b"", token='"0" '),
    ]


@pytest.mark.parametrize(
    ("number", "code", "match"),
    [
        (403, "AccessDenied", r"403 AccessDenied\). Check REE_S3_ACCESS_KEY and REE_S3_SECRET_KEY"),
        (403, "SignatureDoesNotMatch", "REE_S3_SECRET_KEY"),
        (404, "NoSuchBucket", "create it, or correct REE_S3_BUCKET_MODELS"),
        (400, "AuthorizationHeaderMalformed", "REE_S3_REGION"),
        (405, "MethodNotAllowed", "REE_S3_ENDPOINT is the address of an S3 storage"),
        (500, "InternalError", "try again later"),
        (503, "7f3a9 Signature=\n", "503 error"),
    ],
)
def test_what_the_storage_refuses_is_said_in_one_line(
    scripted: tuple[S3Objects, Proxy], number: int, code: str, match: str
) -> None:
    store, proxy = scripted
    proxy.always = status(number, code, "AKCANARY7f3a9 Signature=7f3a9")
    for action in actions(store):
        assert not isinstance(refused(action, match=match), ObjectMissing)


@pytest.mark.parametrize("number", [200, 404])
@pytest.mark.parametrize(
    "page", [b"<html>Welcome to the hotel's network</html>", b"", b"<a>&no;</a>", b"\0\xff"]
)
def test_a_page_that_is_no_s3_is_a_failure(
    scripted: tuple[S3Objects, Proxy], page: bytes, number: int
) -> None:
    """Neither an empty storage nor a write that was made."""
    store, proxy = scripted
    proxy.always = lambda forward: answer(number, page)
    for action in actions(store):
        assert not isinstance(refused(action, match="Check|again later"), ObjectMissing)


def test_nobody_there_is_one_line_in_bounded_time() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        access = Access(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        store = access.store(BUCKET)
        began = monotonic()
        for action in [*actions(store), store.conditional_writes]:
            refused(action, match="Check REE_S3_ENDPOINT")
        assert monotonic() - began < 60
        store.close()


def test_a_storage_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        access = Access(f"http://127.0.0.1:{silent.getsockname()[1]}")
        store = access.store(BUCKET, read_timeout=0.2, attempts=2)
        began = monotonic()
        refused(lambda: store.get("a"), match="ReadTimeoutError")
        assert monotonic() - began < 15
        store.close()


def test_without_credentials_the_settings_are_named(aws_environment: pytest.MonkeyPatch) -> None:
    store = S3Objects.connect(
        BUCKET,
        endpoint="http://127.0.0.1:9",
        access_key=None,
        secret_key=None,
        region="us-east-1",
    )
    refused(lambda: store.get("a"), match="Set REE_S3_ACCESS_KEY and REE_S3_SECRET_KEY")
    store.close()


@pytest.mark.parametrize("endpoint", ["http://", "http://a b", "storage"])
def test_an_address_that_is_none_is_named(
    aws_environment: pytest.MonkeyPatch, endpoint: str
) -> None:
    refused(lambda: Access(endpoint).store(BUCKET), match="Check REE_S3_ENDPOINT")


def test_a_bucket_name_that_is_none_is_named(moto: Access) -> None:
    store = moto.store("no such/bucket")
    refused(lambda: store.get("a"), match="REE_S3_BUCKET_MODELS")
    store.close()


# The real thing


def test_a_missing_bucket_is_a_failure_and_not_an_empty_store(seaweedfs: SeaweedFS) -> None:
    store = seaweedfs.writer.store("ree-nowhere")
    for action in [*actions(store), store.conditional_writes]:
        error = refused(action, match="create it, or correct REE_S3_BUCKET_MODELS")
        assert not isinstance(error, ObjectMissing)
    store.close()


@pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
def test_wrong_keys_are_named_and_not_shown(
    seaweedfs: SeaweedFS, seaweedfs_bucket: S3Objects, wrong: str
) -> None:
    store = evolve(seaweedfs.writer, **{wrong: "other-7f3a9"}).store(BUCKET)
    for action in actions(store):
        refused(action, match="403 .*Check REE_S3_ACCESS_KEY and REE_S3_SECRET_KEY")
    store.close()


def test_a_reader_reads_and_never_probes(seaweedfs: SeaweedFS, seaweedfs_bucket: S3Objects) -> None:
    seaweedfs.empty(BUCKET)
    seaweedfs_bucket.create("a/b", b"body")
    with Proxy(seaweedfs.reader.endpoint) as line:
        store = evolve(seaweedfs.reader, endpoint=line.endpoint).store(BUCKET)
        stored = store.get("a/b")
        assert store.get_if_changed("a/b", stored.token) is None
        assert store.keys("") == ["a/b"]
        with pytest.raises(ObjectMissing):
            store.get("a/c")
        assert set(line.methods) == {"GET"}
        refused(store.conditional_writes, match="REE_S3_ACCESS_KEY")
        refused(lambda: store.create("a/c", b""), match="REE_S3_ACCESS_KEY")
        store.close()
    assert seaweedfs_bucket.bucket.list("") == ["a/b"]


def test_what_was_stored_outlives_a_killed_server(seaweedfs: SeaweedFS) -> None:
    """The session's own server is killed: others find it as it was."""
    store = seaweedfs.writer.new_store(f"ree-{uuid4().hex}")
    store.create("a", b"body")
    before = store.get("a")
    seaweedfs.kill()
    refused(lambda: store.get("a"), match="REE_S3_ENDPOINT")
    seaweedfs.start()
    assert store.get("a") == before
    with pytest.raises(ObjectExists):
        store.create("a", b"other")
    store.close()


def test_what_exists_and_is_not_there_is_no_object(scripted: tuple[S3Objects, Proxy]) -> None:
    """SeaweedFS takes a folder, which it keeps for a while, for an object of that name."""
    store, proxy = scripted
    proxy.tricks.extend([status(412, "PreconditionFailed"), status(404, "NoSuchKey")])
    error = refused(lambda: store.create("a", b""), match="Is a a folder of the bucket")
    assert type(error) is StorageError


# What writes rest on


@pytest.fixture(params=KINDS)
def fresh(request: pytest.FixtureRequest) -> S3Objects:
    """As `objects`, before its first write."""
    used = emptied(request, request.param)
    assert isinstance(used, S3Objects)
    return S3Objects(used.bucket, used.single_writer)


def test_what_writes_rest_on_is_found_out_and_leaves_nothing(
    fresh: S3Objects, request: pytest.FixtureRequest
) -> None:
    expected = KINDS[request.node.callspec.params["fresh"]]
    assert fresh.conditional_writes() is expected
    assert fresh.bucket.list("") == []


def test_scratch_keys_of_a_killed_prober_are_not_listed(fresh: S3Objects) -> None:
    fresh.create("a", b"")
    fresh.bucket.put("probes/0123", b"", "", {}, client=fresh.bucket.client)
    assert fresh.keys("") == ["a"]
    assert fresh.keys("p") == fresh.keys("probes/") == []


def test_many_first_writers_probe_once(fresh: S3Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    probes = []

    def counted(bucket: S3Bucket) -> Conditions:
        probes.append(threading.get_ident())
        return s3_conditions.probed(bucket)

    monkeypatch.setattr("ree.adapters.s3_objects.probed", counted)
    start = Barrier(4)

    def write(number: int) -> None:
        start.wait()
        fresh.create(f"a/{number}", b"")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(probes) == 1
    assert fresh.keys("") == ["a/0", "a/1", "a/2", "a/3"]


def test_a_storage_without_conditions_is_not_written_to(unconditional_bucket: S3Objects) -> None:
    bucket = unconditional_bucket.bucket
    for key in bucket.list(""):
        bucket.delete(key)
    store = S3Objects(bucket)
    bucket.put("a", b"old", "", {}, client=bucket.client)
    token = store.get("a").token
    for action in (
        lambda: store.create("b", b""),
        lambda: store.replace("a", b"", token=token),
        lambda: store.replace("b", b"", token=None),
    ):
        refused(action, match="ignores conditional writes.*REE_STORAGE_SINGLE_WRITER=true")
    assert store.keys("") == ["a"]
    assert store.get("a").body == b"old"


@pytest.mark.parametrize("trouble", [DOWN, BUSY, status(403, "AccessDenied"), reset])
def test_a_failing_storage_is_not_one_without_conditions(
    access: Access, proxy: Proxy, trouble: Trick
) -> None:
    """And the question is asked again, when it works."""
    store = evolve(access, endpoint=proxy.endpoint).store(BUCKET, attempts=1)
    for at in range(4):
        proxy.tricks.extend([honest] * at)
        proxy.tricks.append(trouble)
        refused(lambda: store.create("a", b"body"), match="probes/")
        proxy.tricks.clear()
    assert store.keys("") == []
    assert store.conditional_writes() is ConditionalWrites.ETAG
    store.close()


def test_the_wire_is_as_google_wants_it(gcs: Gcs, gcs_bucket: S3Objects) -> None:
    for key in gcs_bucket.bucket.list(""):
        gcs_bucket.bucket.delete(key)
    gcs.seen.clear()
    store = S3Objects(gcs_bucket.bucket)
    store.create("a", b"body" * 100_000)
    store.create("empty", b"")
    store.replace("a", b"new", token=store.get("a").token)
    puts = [request for request in gcs.seen if request.method == "PUT"]
    assert puts
    for request in puts:
        assert request.headers["content-length"] == str(len(request.body))
        assert "transfer-encoding" not in request.headers
        assert "aws-chunked" not in str(request.headers)
        assert not [name for name in request.headers if "checksum" in name or "trailer" in name]
    own = [request.headers for request in puts if "/probes/" not in request.target]
    assert [headers["x-goog-if-generation-match"] for headers in own[:2]] == ["0", "0"]
    assert int(own[2]["x-goog-if-generation-match"]) > 0
    assert not [name for headers in own for name in headers if name.startswith("x-amz-")]


def test_a_certificate_that_is_not_trusted_is_named(
    gcs: Gcs, gcs_bucket: S3Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE")
    store = gcs.access.store(BUCKET, attempts=1)
    refused(lambda: store.get("a"), match="AWS_CA_BUNDLE")
    store.close()


def test_a_token_of_another_kind_of_storage_is_stale(fresh: S3Objects) -> None:
    fresh.create("a", b"old")
    for token in ("", " ", "0123abcd", '"0123" ', '"0123" 17'):
        with pytest.raises(StaleToken):
            fresh.replace("a", b"new", token=token)
        assert fresh.get_if_changed("a", token) == fresh.get("a")


def test_nothing_secret_is_shown_or_logged(
    access: Access, store: S3Objects, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        store.create("a", b"")
        with pytest.raises(ObjectExists):
            store.create("a", b"")
        with pytest.raises(Refused):
            store.bucket.read("a", IfMatch='"0"')
    assert "7f3a9" not in repr(store) + repr(access) + caplog.text
    assert not re.search("ignature=", caplog.text)
