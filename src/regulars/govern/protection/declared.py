"""Which keys of an event are declared to hold direct identifiers, and of which kind."""

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files

from regulars.records import DataClass

ID = "id"
"""Kind of a key that holds an id, which is covered only where its shape says what it is."""

_SEPARATORS = re.compile(r"[\s_$-]+")
_BETWEEN = r"[\s_$-]{0,2}"
_HAS_VALUE = r'"\s*:\s*(?:"[^"]|[0-9\[{])'
_FLAT = r'(?:"(?:[^"\\]|\\.)*"|[^"{}])'
"""A piece of an object without objects in it."""
_ESCAPED_ASCII = r"\\u00(?:[46][0-9a-f]|[57][0-9a]|3[0-9]|5f|24)"
_EMAIL = r"[a-z0-9](?:@|%40)[a-z0-9-]+\.[a-z]"
_ID_VALUE = r'"(?:[a-z_$]*id)"\s*:\s*[\["\s(]*(?:\+|00|86|1)[0-9 ().+-]{6,20}'


@dataclass(frozen=True)
class Kind:
    """One kind of direct identifier.

    Attributes:
        name: As it stands in a token: "phone", "email"...
        keys: Keys that hold it, words separated by spaces.
        trait_keys: Keys that hold it inside traits alone.
        grade: How sensitive a value is.
        is_sensitive: True for sensitive personal information after PIPL Art. 28.
    """

    name: str
    keys: tuple[str, ...]
    trait_keys: tuple[str, ...]
    grade: DataClass
    is_sensitive: bool


@dataclass(frozen=True)
class Declared:
    """Everything that is declared: kinds, the prefixes keys may have, keys of ids.

    Attributes:
        kinds: Kinds in the order they were declared.
        prefixes: Words that may stand before a key.
        ids: Keys that hold ids.
    """

    kinds: tuple[Kind, ...]
    prefixes: tuple[str, ...]
    ids: tuple[str, ...]

    def kind_of(self, key: str, in_traits: bool) -> str:
        """Tell what kind of identifier a key holds.

        Args:
            key: A key of an event, as the client wrote it.
            in_traits: True when the key stands inside traits.

        Returns:
            Name of the kind, "id" for a key that holds an id, "" for any other.

        Example:
            >>> declared = read_declared()
            >>> [declared.kind_of(k, False) for k in ("receiverPhone", "user_id", "sku")]
            ['phone', 'id', '']
            >>> [declared.kind_of("name", t) for t in (True, False)]
            ['name', '']
        """
        return self._cached(key, in_traits)

    @cached_property
    def pattern(self) -> str:
        """A regular expression (RE2, any case) that every event to be rewritten matches.

        It may match more: it decides who is looked at, not what is changed.
        """
        anywhere = _stems(key for kind in self.kinds for key in kind.keys)
        in_traits = _stems(key for kind in self.kinds for key in kind.trait_keys)
        named = rf'"[^"]*{in_traits}{_HAS_VALUE}'
        inside = rf"(?:{named}|\{{{_FLAT}*(?:{named}|\{{))"
        traits = rf'"traits"\s*:\s*\{{(?:{_FLAT}|\{{{_FLAT}*\}})*{inside}'
        return f"(?i){anywhere}{_HAS_VALUE}|{traits}|{_EMAIL}|{_ID_VALUE}|{_ESCAPED_ASCII}"

    @cached_property
    def _cached(self) -> Callable[[str, bool], str]:
        return lru_cache(8192)(self._kind)

    def _kind(self, key: str, in_traits: bool) -> str:
        plain = _plain(key)
        kind = self._kind_of(plain, in_traits)
        if kind:
            return kind
        prefix = next((p for p in self.prefixes if plain.startswith(p)), "")
        return prefix and self._kind_of(plain[len(prefix) :], in_traits)

    def _kind_of(self, plain: str, in_traits: bool) -> str:
        return self._anywhere.get(plain) or (self._in_traits.get(plain, "") if in_traits else "")

    @cached_property
    def _anywhere(self) -> dict[str, str]:
        named = {_plain(key): kind.name for kind in self.kinds for key in kind.keys}
        return named | {_plain(key): ID for key in self.ids}

    @cached_property
    def _in_traits(self) -> dict[str, str]:
        return {_plain(key): kind.name for kind in self.kinds for key in kind.trait_keys}


@cache
def read_declared() -> Declared:
    """Read what the package declares: declared.toml.

    Returns:
        Kinds, prefixes and ids.

    Example:
        >>> [kind.name for kind in read_declared().kinds]
        ['phone', 'email', 'idcard', 'bankcard', 'address', 'name']
    """
    text = files(__package__).joinpath("declared.toml").read_text(encoding="utf-8")
    given = tomllib.loads(text)
    kinds = tuple(
        Kind(
            name,
            tuple(part["keys"]),
            tuple(part.get("trait_keys", ())),
            DataClass(part["grade"]),
            part["is_sensitive"],
        )
        for name, part in given["kinds"].items()
    )
    return Declared(kinds, tuple(given["prefixes"]), tuple(given["ids"]))


def _plain(key: str) -> str:
    return _SEPARATORS.sub("", key).casefold()


def _stems(keys: Iterable[str]) -> str:
    found = set()
    for key in keys:
        found.add(_BETWEEN.join(re.escape(word) for word in key.split()))
        if not key.isascii():
            found.add("".join(f"\\\\u{ord(letter):04x}" for letter in key))
    return f"(?:{'|'.join(sorted(found))})"
