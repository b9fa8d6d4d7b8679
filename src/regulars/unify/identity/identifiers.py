"""Identifiers: what one event says about who it is from, strongest first."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from regulars.collect.tracking.ids import is_junk, text_id
from regulars.govern.protection.tokens import kind_of_token
from regulars.records.identifiers import COOKIE, LOGIN, customer_id_of, primary_identifier
from regulars.unify.identity.namespaces import declared_namespaces, plain

_NODE = re.compile("c_[0-9a-f]{20}")
TOKENS = frozenset({"phone", "email"})
MOST_LETTERS = 200
"""Longer values are no identifiers but accidents of a client."""


_node_of = lru_cache(65_536)(customer_id_of)


class Identifier(NamedTuple):
    """One identifier; also called a node, because what a customer did is added up per identifier.

    Attributes:
        namespace: What kind it is: "login", "phone", "cookie"...
        value: The identifier; a token when it is a phone number or an e-mail address.
    """

    namespace: str
    value: str

    @property
    def node(self) -> str:
        """The customer id that stands for it alone."""
        return _node_of(self.namespace, self.value)


def primary_node(row: Mapping[str, Any]) -> Identifier | None:
    """Choose the identifier what an event did is added up under.

    Args:
        row: A row of the table `events`: user_id and anonymous_id are looked at.

    Returns:
        The login id, or the phone number or e-mail address used as one; else the cookie;
        None when the event has neither.

    Example:
        >>> primary_node({"user_id": "u17", "anonymous_id": "a-1"})
        Identifier(namespace='login', value='u17')
    """
    found = primary_identifier(row["user_id"], row["anonymous_id"])
    return Identifier(*found) if found else None


def identifiers_of(row: Mapping[str, Any]) -> list[Identifier]:
    """List who an event says it is from.

    Args:
        row: A row of the table `events`: type, user_id, anonymous_id and payload.

    Returns:
        Each identifier once, strongest namespace first, in order of value within one; junk is
        left out. Empty when the event says nothing.

    Example:
        >>> payload = '{"context":{"externalIds":[{"type":"wx_openid","id":"o-1"}]}}'
        >>> row = {"type": "track", "user_id": "u1", "anonymous_id": "guest", "payload": payload}
        >>> [tuple(one) for one in identifiers_of(row)]
        [('login', 'u1'), ('openid', 'o-1')]
    """
    event = _event(row["payload"])
    if _names_no_other(event):
        return list(_own(row["user_id"], row["anonymous_id"]))
    return _sorted(_said(row, event))


@lru_cache(16_384)
def _own(user_id: str | None, anonymous_id: str | None) -> tuple[Identifier, ...]:
    """Who an event is from that names nobody but by its own two ids; most are such."""
    given = ((LOGIN, user_id), (COOKIE, anonymous_id))
    return tuple(_sorted(_known_by(namespace, value) for namespace, value in given if value))


def _sorted(said: Iterable[Identifier]) -> list[Identifier]:
    ranks = declared_namespaces().by_name
    found = {one for one in said if is_identifier(one)}
    return sorted(found, key=lambda one: (ranks[one.namespace].rank, one.value))


def parted_by(row: Mapping[str, Any]) -> list[Identifier]:
    """List the identifiers an event takes away from the login id it names.

    Args:
        row: A row of the table `events`.

    Returns:
        Empty but for events of clients that unbind identifiers.
    """
    if "$UnbindID" not in (row["event"] or ""):
        return []
    context = _as_object(_as_object(_decoded(row["payload"])).get("context"))
    protocol = _as_object(context.get("protocol"))
    return [one for one in _external(protocol.get("identifiers")) if is_identifier(one)]


def is_identifier(one: Identifier) -> bool:
    """Tell whether a value may stand for somebody.

    Returns:
        False for junk, for what is far too long, and for phone numbers and e-mail addresses
        that are no tokens: they could not be read as what they claim to be.

    Example:
        >>> is_identifier(Identifier("cookie", "a-1")), is_identifier(Identifier("phone", "138"))
        (True, False)
    """
    if one.namespace in TOKENS:
        return kind_of_token(one.value) == one.namespace
    if one.namespace == LOGIN and _NODE.fullmatch(one.value):
        return False
    return len(one.value) <= MOST_LETTERS and not is_junk(one.value)


class _Context(msgspec.Struct):
    """What of the context may name somebody."""

    externalIds: Any = None
    device: Any = None
    traits: Any = None


class _Event(msgspec.Struct):
    """What of an event may name somebody; the rest of its payload is passed over unread."""

    previousId: Any = None
    traits: Any = None
    context: _Context | None = None


_EVENT = msgspec.json.Decoder(_Event)


def _names_no_other(event: _Event) -> bool:
    context = event.context
    if event.previousId is not None or event.traits is not None:
        return False
    if context is None:
        return True
    has_device = context.device is not None and _as_object(context.device).get("id") is not None
    return context.externalIds is None and context.traits is None and not has_device


def _said(row: Mapping[str, Any], event: _Event) -> Iterator[Identifier]:
    if row["user_id"]:
        yield _known_by(LOGIN, row["user_id"])
    if row["anonymous_id"]:
        yield _known_by(COOKIE, row["anonymous_id"])
    context = event.context or _Context()
    previous = text_id(event.previousId) if row["type"] == "alias" else None
    if previous and previous != row["user_id"]:
        yield _known_by(COOKIE, previous)
    yield from _external(context.externalIds)
    device = text_id(_as_object(context.device).get("id"))
    if device and device != row["anonymous_id"]:
        yield Identifier("device", device)
    for traits in (_as_object(event.traits), _as_object(context.traits)):
        yield from _in_traits(traits)


def _known_by(namespace: str, value: str) -> Identifier:
    kind = kind_of_token(value)
    return Identifier(kind if kind in TOKENS else namespace, value)


def _external(listed: Any) -> Iterator[Identifier]:
    names = declared_namespaces().by_type
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and isinstance(one.get("type"), str):
            namespace, value = names.get(plain(one["type"])), text_id(one.get("id"))
            if namespace and value:
                yield _known_by(namespace, value)


def _in_traits(traits: Mapping[str, Any]) -> Iterator[Identifier]:
    names = declared_namespaces().by_trait
    for key, value in traits.items():
        namespace = names.get(plain(key))
        for one in value if isinstance(value, list) else [value]:
            text = text_id(one) if namespace else None
            if namespace and text:
                yield Identifier(namespace, text)


def _event(payload: str) -> _Event:
    try:
        return _EVENT.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        # Something stands where an object belongs, or nothing can be read.
        event = _as_object(_decoded(payload))
        context = _as_object(event.get("context"))
        return _Event(
            event.get("previousId"),
            event.get("traits"),
            _Context(*(context.get(name) for name in _Context.__struct_fields__)),
        )


def _decoded(payload: str) -> Any:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
