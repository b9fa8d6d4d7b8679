"""Namespaces: what may tell who somebody is, how strongly, and for how many."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_SEPARATORS = re.compile(r"[\s_$.-]+")


@dataclass(frozen=True)
class Namespace:
    """One kind of identifier.

    Attributes:
        name: "login", "phone", "cookie"...
        rank: 0 for the strongest.
        is_unique: A customer has one at most.
        is_weak: A thing people share; joins nobody who differs in anything stronger.
        most_per_customer: Values one customer may have.
        most_customers: Customers who may claim one value before it tells nothing more; None
            when any number may.
        traits: Keys of traits that hold it.
        external_types: Other names of its type in `context.externalIds`.
    """

    name: str
    rank: int
    is_unique: bool
    is_weak: bool
    most_per_customer: int
    most_customers: int | None
    traits: tuple[str, ...]
    external_types: tuple[str, ...]


@dataclass(frozen=True)
class Namespaces:
    """Everything that is declared.

    Attributes:
        by_name: Namespace by its name, strongest first.
        by_trait: Name of a namespace by plain key of traits.
        by_type: Name of a namespace by plain type of an external id.
    """

    by_name: dict[str, Namespace]
    by_trait: dict[str, str]
    by_type: dict[str, str]


@cache
def declared_namespaces() -> Namespaces:
    """Read what the package declares: namespaces.toml.

    Returns:
        The namespaces, strongest first.

    Example:
        >>> list(declared_namespaces().by_name)[:4]
        ['login', 'unionid', 'openid', 'phone']
    """
    text = files(__package__).joinpath("namespaces.toml").read_text(encoding="utf-8")
    found = [
        Namespace(
            part["name"],
            rank,
            part.get("is_unique", False),
            part.get("is_weak", False),
            part["most_per_customer"],
            part.get("most_customers"),
            tuple(part.get("traits", ())),
            tuple(part.get("external_types", ())),
        )
        for rank, part in enumerate(tomllib.loads(text)["namespaces"])
    ]
    return Namespaces(
        {one.name: one for one in found},
        {plain(key): one.name for one in found for key in one.traits},
        {plain(key): one.name for one in found for key in (one.name, *one.external_types)},
    )


def plain(key: str) -> str:
    """Write a key without what clients write differently.

    Returns:
        The key in lower case without separators.

    Example:
        >>> plain("$wx_OpenID")
        'wxopenid'
    """
    return _SEPARATORS.sub("", key).casefold()
