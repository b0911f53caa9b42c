"""A figure of metrics.json, and where it stands there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen


@frozen
class Figure:
    """A number, a text or None, or a tree of them; what is not there is None.

    Its parts are had as ``figure["mae"]``, in templates as ``figure.mae``.
    """

    raw: Any
    path: tuple[str, ...] = ()

    def __getitem__(self, name: str | int) -> "Figure":
        found: Any = None
        if isinstance(self.raw, Mapping):
            found = self.raw.get(name)
        elif isinstance(self.raw, Sequence) and isinstance(name, int) and name < len(self.raw):
            found = self.raw[name]
        return Figure(found, (*self.path, str(name)))

    def __iter__(self) -> "Iterator[Figure]":
        """The parts of a list."""
        return (self[place] for place in range(len(self.raw or ())))

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return self.raw is not None and self.raw not in ([], {})

    def named(self) -> "list[tuple[str, Figure]]":
        """The parts of an object, by name: storage keeps no order."""
        return [(name, self[name]) for name in sorted(self.raw or ())]

    @property
    def pointer(self) -> str:
        """As overall.mae, or verdict.checks.3.figures.n."""
        return ".".join(self.path)
