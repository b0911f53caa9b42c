"""YAML in which no key is given twice, which a parser would let pass."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]


class Twice(ValueError):
    """A key that is given twice."""


class _Loader(yaml.SafeLoader):
    """A parser of its own."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    """What is merged (`<<`) may be overridden; what is written in one place twice may not."""
    names = [name.value for name, _ in node.value]
    for name in names:
        if names.count(name) > 1:
            raise Twice(f"{name} is given twice ({str(node.start_mark).strip()})")
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
# A workflow's `on:` is no truth value.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _first in "tf":
    _Loader.add_implicit_resolver(
        "tag:yaml.org,2002:bool",
        re.compile("^(?:true|false)$"),
        [_first],
    )


def documents(text: str) -> list[Document]:
    """Those that are not empty; Twice, yaml.YAMLError."""
    return [each for each in yaml.load_all(text, _Loader) if each is not None]


def document(file: Path) -> Document:
    """The only one of a file; ValueError with its name."""
    try:
        (found,) = documents(file.read_text("utf-8"))
    except (Twice, yaml.YAMLError) as error:
        raise ValueError(f"{file.name}: {error}") from error
    return found


def version(root: Path) -> str:
    """The program's, which pyproject.toml has."""
    text = (root / "pyproject.toml").read_text("utf-8")
    (found,) = re.findall(r'^version = "(.+)"$', text, re.MULTILINE)
    return str(found)


def settings(root: Path) -> list[str]:
    """The names of all settings, which `.env.example` documents."""
    lines = (root / ".env.example").read_text("utf-8").splitlines()
    return [line.partition("=")[0] for line in lines if line.startswith("REE_")]
