"""Junk: phone numbers and e-mail addresses people type to get past a form."""

import tomllib
from collections.abc import Callable
from importlib.resources import files

from regulars.unify.identity.identifiers import Identifier


def junk_nodes(token: Callable[[str, str], str]) -> frozenset[str]:
    """Give the nodes of values that must join nobody.

    Args:
        token: Gives the token of a kind and clear value.

    Returns:
        Nodes; the clear values are not kept.

    Example:
        >>> len(junk_nodes(lambda kind, text: text)) > 20
        True
    """
    text = files(__package__).joinpath("junk.toml").read_text(encoding="utf-8")
    declared = tomllib.loads(text)
    return frozenset(
        Identifier(kind, token(kind, value)).node
        for kind, values in declared.items()
        for value in values
    )
