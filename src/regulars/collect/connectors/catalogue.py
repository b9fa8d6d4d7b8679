"""The kinds of sources there are: what each feeds, whose data it is, its contract and a sample."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from regulars.collect.sources.mapping import ImportMapping, mapping_from
from regulars.errors import UnknownName
from regulars.govern.legal_basis import GATED

WAYS = {
    "folder": "files in a folder; a file read before is not read again",
    "s3": "files in a bucket of S3 or alike",
    "sql": "a table of any database SQLAlchemy reaches, read only, from where it was read up to",
    "inbox": "JSON another system posts to /api/collect/inbox/NAME, read at the next pull",
    "calendar": "a packaged library; nothing to bring",
    "http": "sent by clients to regulars serve",
    "mqtt": "followed by regulars collect mqtt",
    "epcis": "taken by regulars collect epcis",
}
PULLED = frozenset({"folder", "s3", "sql", "inbox", "calendar"})


@dataclass(frozen=True)
class Sample:
    """A small generated file of a kind.

    Attributes:
        name: File name.
        text: Its content.
    """

    name: str
    text: str


@dataclass(frozen=True)
class SourceKind:
    """One kind of source.

    Attributes:
        name: The kind, as `[sources.NAME] kind` says it.
        title: What people call it.
        chinese: The same in Chinese.
        means: What it brings.
        ways: How it can be read, keys of `WAYS`.
        tables: Tables it feeds.
        is_personal: True when it tells of persons.
        gate: Kind of legal basis it needs first; "" for none.
        contract: How its files become facts; None when it has no files.
        samples: Files that fit the contract.
    """

    name: str
    title: str
    chinese: str
    means: str
    ways: tuple[str, ...]
    tables: tuple[str, ...]
    is_personal: bool
    gate: str
    contract: ImportMapping | None
    samples: tuple[Sample, ...]


def source_kind(name: str) -> SourceKind:
    """Find a kind of source.

    Args:
        name: The kind.

    Returns:
        The kind.

    Raises:
        UnknownName: There is no such kind.

    Example:
        >>> source_kind("weather").tables
        ('weather_days',)
    """
    if name not in SOURCE_KINDS:
        raise UnknownName("kind of source", name, SOURCE_KINDS)
    return SOURCE_KINDS[name]


def _kinds() -> dict[str, SourceKind]:
    found: dict[str, SourceKind] = {}
    for group in files(__package__).joinpath("kinds").iterdir():
        for file in group.iterdir() if group.is_dir() else ():
            if file.name.endswith(".toml"):
                name = file.name.removesuffix(".toml")
                found[name] = _kind(name, tomllib.loads(file.read_text("utf-8")))
    return dict(sorted(found.items()))


def _kind(name: str, given: dict[str, Any]) -> SourceKind:
    sections = given.get("file")
    contract = mapping_from({"file": sections}, f"contract {name}") if sections else None
    rules = contract.files if contract else ()
    fed = dict.fromkeys(part.table for rule in rules for part in rule.tables)
    gate = given.get("gate", "")
    if gate and gate not in GATED:
        raise UnknownName("kind of legal basis", gate, GATED)
    return SourceKind(
        name,
        given["title"],
        given["chinese"],
        given["means"],
        tuple(given["via"]),
        tuple(fed) or tuple(given["tables"]),
        given["is_personal"],
        gate,
        contract,
        tuple(Sample(part["name"], part["text"].lstrip("\n")) for part in given["sample"]),
    )


SOURCE_KINDS: dict[str, SourceKind] = _kinds()
