"""What was found when stored things were checked."""

from collections.abc import Iterable
from enum import Enum

from attrs import frozen


class Soundness(Enum):
    """How a checked thing was found."""

    SOUND = "sound"
    WARNING = "warning"
    BROKEN = "broken"


@frozen
class Finding:
    """One thing that was checked: an object by its key, or what else the words say."""

    subject: str
    soundness: Soundness = Soundness.SOUND
    detail: str = ""


def sound(findings: Iterable[Finding]) -> bool:
    """Whether nothing is broken."""
    return all(finding.soundness is not Soundness.BROKEN for finding in findings)
