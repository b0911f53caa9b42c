"""What was found when stored things were checked."""

import pytest

from ree.domain.model import Activation, ConditionalWrites
from ree.domain.verification import Finding, Soundness, sound


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], True),
        ([Soundness.SOUND, Soundness.WARNING], True),
        ([Soundness.BROKEN], False),
        ([Soundness.SOUND, Soundness.BROKEN, Soundness.WARNING], False),
    ],
)
def test_one_broken_thing_is_enough(found: list[Soundness], expected: bool) -> None:
    assert sound(Finding(str(number), one) for number, one in enumerate(found)) is expected


def test_what_is_found_is_sound_unless_said_otherwise() -> None:
    assert Finding("latest.json") == Finding("latest.json", Soundness.SOUND, "")


def test_the_names_are_those_of_the_documents() -> None:
    assert [kind.value for kind in Soundness] == ["sound", "warning", "broken"]
    assert [kind.value for kind in ConditionalWrites] == ["etag", "generation", "none"]
    fields = {field.name: field.default for field in Activation.__attrs_attrs__}
    assert fields["conditional_writes"] is ConditionalWrites.ETAG
