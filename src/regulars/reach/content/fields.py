"""Fields: what a content may read, and what only with separate consent."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from regulars.errors import InputError
from regulars.records import TABLES

SENSITIVE_PURPOSE = "sensitive"
"""Purpose of the consent that sensitive fields need."""

TAGS = "tags"
TRIGGER = re.compile(r"trigger\.[a-z][a-z0-9_]{0,31}")
"""What a trigger told: its sender names the fields, so any name will do."""

_NOT_SAID = frozenset({"turn", "customer_id", "as_of"})


@dataclass(frozen=True)
class Fields:
    """Everything there is to read.

    Attributes:
        known: Fields, "root.name", and roots that are lists.
        always: What every content may read without declaring it.
        products: Fields of a product.
        sensitive: Why a field needs separate consent, by field.
    """

    known: frozenset[str]
    always: frozenset[str]
    products: tuple[str, ...]
    sensitive: dict[str, str]


@cache
def fields() -> Fields:
    """Read what there is: fields.toml, and the columns of profiles.

    Returns:
        The fields.

    Example:
        >>> "profile.favourite_category" in fields().known, "profile.customer_id" in fields().known
        (True, False)
    """
    given = tomllib.loads(files(__package__).joinpath("fields.toml").read_text(encoding="utf-8"))
    profile = {f"profile.{c.name}" for c in TABLES["profiles"].columns if c.name not in _NOT_SAID}
    roots = {f"{root}.{name}" for root, names in given["roots"].items() for name in names}
    return Fields(
        frozenset(profile | roots | {TAGS}),
        frozenset(given["always"]["names"]),
        tuple(given["products"]["fields"]),
        dict(given["sensitive"]),
    )


def checked_uses(uses: Iterable[str], slots: Iterable[str]) -> tuple[str, ...]:
    """Check what a content wants to read.

    Args:
        uses: Fields, and names of its product slots with or without a field.
        slots: Names of its product slots.

    Returns:
        The same, each once, in order.

    Raises:
        InputError: There is no such field.

    Example:
        >>> checked_uses(["tags", "customer.name"], [])
        ('customer.name', 'tags')
    """
    named = set(slots)
    clash = sorted(named & {one.partition(".")[0] for one in fields().known | fields().always})
    if clash:
        raise InputError(f"a product slot is named {clash[0]!r}, which means something; rename it")
    known = fields().known | fields().always | named
    known |= {f"{slot}.{name}" for slot in named for name in fields().products}
    wanted = sorted(set(uses))
    unknown = [name for name in wanted if name not in known and not TRIGGER.fullmatch(name)]
    if unknown:
        raise InputError(
            f"uses names {unknown[0]!r}, which no content may read; known: "
            f"{', '.join(sorted(known))}, and trigger.NAME for what a trigger tells"
        )
    return tuple(wanted)
