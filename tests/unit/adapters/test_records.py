"""What holds of all records, whatever they tell."""

import pytest
from attrs import field, frozen

from ree.adapters import codec
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.objects import ObjectMissing, ObjectStore, Stored
from ree.adapters.records import NotReadable, Records
from ree.adapters.seal import Seal
from ree.domain.model import ConditionalWrites
from ree.domain.verification import Soundness


@frozen
class Note:
    name: str
    text: str = ""


@frozen
class Read:
    """A store that tells what was read."""

    inner: ObjectStore = field(factory=MemoryObjects)
    keys_read: list[str] = field(factory=list)

    def get(self, key: str) -> Stored:
        self.keys_read.append(key)
        return self.inner.get(key)

    def get_if_changed(self, key: str, token: str) -> Stored | None:
        return self.inner.get_if_changed(key, token)

    def create(self, key: str, body: bytes) -> None:
        self.inner.create(key, body)

    def replace(self, key: str, body: bytes, *, token: str | None) -> None:
        self.inner.replace(key, body, token=token)

    def keys(self, prefix: str) -> list[str]:
        return self.inner.keys(prefix)

    def conditional_writes(self) -> ConditionalWrites:
        return self.inner.conditional_writes()


@pytest.fixture
def store() -> Read:
    return Read()


@pytest.fixture
def records(store: Read) -> Records[Note]:
    return Records(store, Seal(), "notes/", Note, lambda note: f"notes/{note.name}.json")


def test_the_first_one_stays(records: Records[Note]) -> None:
    assert records.create(Note("a", "first"))
    assert not records.create(Note("a", "second"))
    assert list(records.readable()) == [Note("a", "first")]


def test_a_further_listing_reads_only_what_is_new(records: Records[Note], store: Read) -> None:
    records.create(Note("a"))
    assert list(records.readable()) == [Note("a")]
    records.create(Note("b"))
    assert list(records.readable()) == [Note("a"), Note("b")]
    assert store.keys_read == ["notes/a.json", "notes/b.json"]
    assert len(list(records.verify())) == 2
    assert store.keys_read[2:] == store.keys_read[:2]


def test_what_cannot_be_read_is_left_out_and_warned_of_once(
    records: Records[Note], store: Read, caplog: pytest.LogCaptureFixture
) -> None:
    records.create(Note("a"))
    store.inner.create("notes/b.json", b"{}")
    misplaced = codec.to_json(Seal().close(codec.plain(Note("a"))))
    store.inner.create("notes/c.json", misplaced)
    for _ in range(3):
        assert list(records.readable()) == [Note("a")]
    assert [record.getMessage().split()[2] for record in caplog.records] == [
        "notes/b.json",
        "notes/c.json",
    ]
    assert [finding.subject for finding in records.verify()] == [
        "notes/a.json",
        "notes/b.json",
        "notes/c.json",
    ]
    broken = [f.subject for f in records.verify() if f.soundness is Soundness.BROKEN]
    assert broken == ["notes/b.json", "notes/c.json"]
    with pytest.raises(NotReadable, match=r"that of notes/a\.json"):
        records.read("notes/c.json")
    with pytest.raises(ObjectMissing):
        records.read("notes/d.json")
