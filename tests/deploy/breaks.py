"""How what ships ree is broken."""

from pathlib import Path

from attrs import frozen


@frozen
class Break:
    """A text that is put in another's place, and what is then said."""

    part: str
    file: str
    old: str
    new: str
    said: str
    apart: bool = False
    """It would hide what others of its part do."""

    def put(self, root: Path) -> None:
        """Into a copy of what is shipped."""
        file = root / self.file
        text = file.read_text()
        assert self.old in text, f"{self.file} has no {self.old!r} to break"
        file.write_text(text.replace(self.old, self.new, 1))
