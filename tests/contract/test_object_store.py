"""What every object store promises (ree.adapters.objects.ObjectStore)."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from ree.adapters.file_objects import FileObjects
from ree.adapters.objects import ObjectExists, ObjectMissing, ObjectStore, StaleToken
from ree.domain.errors import StorageError

from .conftest import emptied

EVERY = [
    "memory",
    "filesystem",
    "measured_memory",
    "measured_filesystem",
    "seaweedfs_bucket",
    "moto_bucket",
    "gcs_bucket",
    "unconditional_bucket",
]
INVALID_KEYS = [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/..",
    "./a",
    ".hidden",
    "a/.hidden",
    ".lock",
    "a b",
    "a\n",
    "a\\b",
    "a\0b",
    "å",
]


@pytest.fixture(params=EVERY)
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    return emptied(request, request.param)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a race is run: SeaweedFS lets a loser wait for a second."""
    return 2 if "seaweedfs_bucket" in request.node.name else 10


def test_what_is_created_is_read_back(objects: ObjectStore) -> None:
    body = bytes(range(256)) * 1_000
    objects.create("a/b-1_2.json", body)
    objects.create("empty", b"")
    assert objects.get("a/b-1_2.json").body == body
    assert objects.get("empty").body == b""


def test_a_second_create_changes_nothing(objects: ObjectStore) -> None:
    objects.create("a/b", b"first")
    with pytest.raises(ObjectExists, match="a/b"):
        objects.create("a/b", b"second")
    assert objects.get("a/b").body == b"first"


@pytest.mark.parametrize("key", ["a", "a/b", "a/b/c/d"])
def test_what_is_not_there_is_missing(objects: ObjectStore, key: str) -> None:
    objects.create("a/b/c/other", b"")
    with pytest.raises(ObjectMissing, match=key):
        objects.get(key)


def test_below_an_object_there_is_nothing(objects: ObjectStore) -> None:
    objects.create("a", b"")
    with pytest.raises(ObjectMissing):
        objects.get("a/b")
    assert objects.keys("a/") == []


def test_an_empty_store_has_nothing(objects: ObjectStore) -> None:
    assert objects.keys("") == []
    assert objects.keys("a/") == []
    with pytest.raises(ObjectMissing):
        objects.get("a")


def test_replace_over_what_was_read(objects: ObjectStore) -> None:
    objects.create("pointer", b"old")
    objects.replace("pointer", b"new", token=objects.get("pointer").token)
    assert objects.get("pointer").body == b"new"


def test_replace_over_nothing(objects: ObjectStore) -> None:
    objects.replace("a/pointer", b"first", token=None)
    assert objects.get("a/pointer").body == b"first"


@pytest.mark.parametrize("over_nothing", [True, False])
def test_replace_over_something_else_changes_nothing(
    objects: ObjectStore, over_nothing: bool
) -> None:
    objects.create("pointer", b"old")
    stale = None if over_nothing else objects.get("pointer").token
    if stale:
        objects.replace("pointer", b"newer", token=stale)
    before = objects.get("pointer")
    with pytest.raises(StaleToken, match="pointer"):
        objects.replace("pointer", b"lost", token=stale)
    assert objects.get("pointer") == before


def test_replace_of_what_is_gone_creates_nothing(objects: ObjectStore) -> None:
    objects.create("other", b"body")
    with pytest.raises(StaleToken):
        objects.replace("pointer", b"body", token=objects.get("other").token)
    assert objects.keys("") == ["other"]


def test_what_did_not_change_is_not_read_again(objects: ObjectStore) -> None:
    objects.create("pointer", b"old")
    stored = objects.get("pointer")
    assert objects.get_if_changed("pointer", stored.token) is None
    objects.replace("pointer", b"new", token=stored.token)
    changed = objects.get_if_changed("pointer", stored.token)
    assert changed == objects.get("pointer")
    assert changed.body == b"new"
    with pytest.raises(ObjectMissing, match="nothing"):
        objects.get_if_changed("nothing", stored.token)


@pytest.mark.parametrize(
    ("prefix", "keys"),
    [
        ("", ["a/b", "a/b-1", "a/bc/d", "ab", "b"]),
        ("a", ["a/b", "a/b-1", "a/bc/d", "ab"]),
        ("a/", ["a/b", "a/b-1", "a/bc/d"]),
        ("a/b", ["a/b", "a/b-1", "a/bc/d"]),
        ("a/bc/", ["a/bc/d"]),
        ("a/bc/d/", []),
        ("c", []),
        ("c/d/", []),
    ],
)
def test_keys_begin_with_the_prefix_and_are_sorted(
    objects: ObjectStore, prefix: str, keys: list[str]
) -> None:
    for key in ("b", "ab", "a/bc/d", "a/b-1"):
        objects.create(key, b"")
    objects.replace("a/b", b"", token=None)
    assert objects.keys(prefix) == keys


@pytest.mark.parametrize("key", INVALID_KEYS)
def test_a_key_cannot_leave_the_store_or_hide_in_it(objects: ObjectStore, key: str) -> None:
    actions: list[Callable[[], object]] = [
        lambda: objects.get(key),
        lambda: objects.create(key, b""),
        lambda: objects.replace(key, b"", token=None),
    ]
    for action in actions:
        with pytest.raises(StorageError, match="not a valid object key") as caught:
            action()
        assert type(caught.value) is StorageError
    assert objects.keys("") == []


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "/etc/", ".aside/", "a//"])
def test_a_prefix_cannot_leave_the_store_either(objects: ObjectStore, prefix: str) -> None:
    with pytest.raises(StorageError, match="not a valid object key"):
        objects.keys(prefix)


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns far more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty")
def test_one_of_many_creators_wins(objects: ObjectStore, rounds: int) -> None:
    writers, keys = min(8, 2 * rounds), [f"race/{number}" for number in range(rounds)]
    start = Barrier(writers)

    def write(writer: int) -> list[str]:
        won = []
        for key in keys:
            start.wait()
            try:
                objects.create(key, b"%d" % writer * 10_000)
            except ObjectExists:
                continue
            won.append(key)
        return won

    with ThreadPoolExecutor(writers) as pool:
        wins = list(pool.map(write, range(writers)))
    assert sorted(key for won in wins for key in won) == keys
    for writer, won in enumerate(wins):
        assert all(objects.get(key).body == b"%d" % writer * 10_000 for key in won)


@pytest.mark.usefixtures("hasty")
def test_no_increment_is_lost_among_threads(objects: ObjectStore, rounds: int) -> None:
    objects.create("counter", b"0")
    start = Barrier(4)

    def count(_: int) -> None:
        start.wait()
        done = 0
        while done < rounds:
            stored = objects.get("counter")
            try:
                objects.replace("counter", b"%d" % (int(stored.body) + 1), token=stored.token)
            except StaleToken:
                continue
            done += 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert objects.get("counter").body == b"%d" % (4 * rounds)


PRELUDE = """
import os, signal, sys
from ree.adapters.file_objects import FileObjects
from ree.adapters.objects import ObjectExists, StaleToken
store = FileObjects(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
"""
COUNT = """
done = 0
while done < 15:
    stored = store.get("counter")
    try:
        store.replace("counter", b"%d" % (int(stored.body) + 1), token=stored.token)
    except StaleToken:
        continue
    done += 1
"""
CREATE = """
for number in range(20):
    try:
        store.create(f"race/{number:02}", str(os.getpid()).encode() * 10_000)
    except ObjectExists:
        continue
    print(number)
"""
KILLED = """
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
os.link = os.replace = die
"""


def together(folder: Path, script: str, processes: int) -> list[tuple[int, str]]:
    """Runs a script in processes that begin at once; the pid and output of each."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PRELUDE + script, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    found = [(process.pid, process.communicate(timeout=60)[0]) for process in running]
    assert all(process.returncode == 0 for process in running)
    return found


def test_no_increment_is_lost_among_processes(filesystem: ObjectStore, folder: Path) -> None:
    filesystem.create("counter", b"0")
    together(folder, COUNT, 3)
    assert filesystem.get("counter").body == b"45"


def test_one_of_many_creating_processes_wins(filesystem: ObjectStore, folder: Path) -> None:
    winners = {
        int(number): pid for pid, output in together(folder, CREATE, 3) for number in output.split()
    }
    assert sorted(winners) == list(range(20))
    for number, pid in winners.items():
        assert filesystem.get(f"race/{number:02}").body == str(pid).encode() * 10_000


@pytest.mark.parametrize(
    "write",
    ["store.create('new', b'half')", "store.replace('old', b'half', token=store.get('old').token)"],
)
def test_a_killed_writer_leaves_no_half_object_and_no_lock(
    filesystem: ObjectStore, folder: Path, write: str
) -> None:
    filesystem.create("old", b"body")
    killed = subprocess.run(
        [sys.executable, "-c", PRELUDE + KILLED + write, str(folder)],
        input="\n",
        text=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert filesystem.keys("") == ["old"]
    assert filesystem.get("old").body == b"body"
    filesystem.create("new", b"whole")
    filesystem.replace("old", b"whole", token=filesystem.get("old").token)
    assert [filesystem.get(key).body for key in filesystem.keys("")] == [b"whole", b"whole"]


def one_line(error: BaseException) -> bool:
    return "\n" not in str(error) and "REE_STORAGE_PATH" in str(error)


@pytest.mark.parametrize(
    ("failing", "key"), [("fsync", "new"), ("link", "new"), ("fsync", "old"), ("replace", "old")]
)
def test_a_full_disk_is_a_storage_error_and_changes_nothing(
    filesystem: ObjectStore, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str, key: str
) -> None:
    filesystem.create("old", b"body")
    token = filesystem.get("old").token
    write: dict[str, Callable[[], None]] = {
        "new": lambda: filesystem.create("new", b"body"),
        "old": lambda: filesystem.replace("old", b"new", token=token),
    }

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, full)
        with pytest.raises(StorageError, match="No space") as caught:
            write[key]()
    assert one_line(caught.value)
    assert filesystem.keys("") == ["old"]
    assert filesystem.get("old").body == b"body"
    assert list((folder / ".aside").iterdir()) == []


def test_an_object_in_a_folders_place_is_a_storage_error(filesystem: ObjectStore) -> None:
    filesystem.create("a", b"")
    actions: list[Callable[[], None]] = [
        lambda: filesystem.create("a/b", b""),
        lambda: filesystem.replace("a/b", b"", token=None),
    ]
    for action in actions:
        with pytest.raises(StorageError) as caught:
            action()
        assert type(caught.value) is StorageError
        assert one_line(caught.value)
    assert filesystem.keys("") == ["a"]


@pytest.mark.parametrize("below", ["", "bucket"])
def test_a_file_in_the_stores_place_is_a_failure_and_not_an_empty_store(
    tmp_path: Path, below: str
) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FileObjects(tmp_path / "file" / below)
    actions: list[Callable[[], object]] = [
        lambda: store.get("a"),
        lambda: store.keys("a/"),
        lambda: store.create("a", b""),
        lambda: store.replace("a", b"", token=None),
    ]
    for action in actions:
        with pytest.raises(StorageError) as caught:
            action()
        assert type(caught.value) is StorageError
        assert one_line(caught.value)
