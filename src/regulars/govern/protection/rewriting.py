"""Rewriting: one event with its direct identifiers replaced, everything else as it was."""

from collections.abc import Callable
from typing import Any

import msgspec

from regulars.govern.masking import EMAIL
from regulars.govern.protection.declared import ID, Declared
from regulars.govern.protection.tokens import is_token, kind_of_id

Swap = Callable[[str, str], str]
"""Gives the token of a value of a kind, and remembers both."""


def rewritten(payload: str, declared: Declared, swap: Swap) -> str:
    """Replace the direct identifiers of one event.

    Args:
        payload: The event as JSON.
        declared: Which keys hold what.
        swap: Gives the token of a value.

    Returns:
        The event as JSON; the same text when nothing had to be replaced. Of a text that is no
        JSON every e-mail address is replaced; of an event nested too deep to be walked through
        only what is plain at the top is left.

    Example:
        >>> from regulars.govern.protection.declared import read_declared
        >>> rewritten('{"traits":{"phone":"1"},"n":1.50}', read_declared(), lambda k, v: f"<{k}>")
        '{"traits":{"phone":"<phone>"},"n":1.5}'
    """
    event: Any = {}
    try:
        event = msgspec.json.decode(payload)
        changed = _Rewriter(declared, swap).walk(event, in_traits=False)
    except msgspec.MsgspecError:
        return EMAIL.sub(lambda found: swap("email", _plain_sign(found[0])), payload)
    except RecursionError:
        told = event if isinstance(event, dict) else {}
        event = {key: part for key, part in told.items() if not isinstance(part, dict | list)}
        changed = True
        _Rewriter(declared, swap).walk(event, in_traits=False)
    return msgspec.json.encode(event).decode() if changed else payload


def covered_id(value: str, swap: Swap) -> str:
    """Replace an id that is a phone number or an e-mail address; give any other as it is.

    Returns:
        A token, or the id.

    Example:
        >>> [covered_id(v, lambda k, v: f"<{k}>") for v in ("u1", "13800138000", "a@b.cn")]
        ['u1', '<phone>', '<email>']
    """
    kind = "" if is_token(value) else kind_of_id(value)
    return swap(kind, value) if kind else value


class _Rewriter:
    """Walks an event and replaces in place; tells whether anything was replaced."""

    def __init__(self, declared: Declared, swap: Swap) -> None:
        self._kind_of, self._swap = declared.kind_of, swap

    def walk(self, node: Any, *, in_traits: bool, kind: str = "") -> bool:
        if isinstance(node, dict):
            return self._walk_object(node, in_traits=in_traits)
        changed = False
        for at, value in enumerate(node if isinstance(node, list) else ()):
            if isinstance(value, dict | list):
                changed |= self.walk(value, in_traits=in_traits, kind=kind)
            else:
                node[at] = self._covered(kind, value)
                changed |= node[at] is not value
        return changed

    def _walk_object(self, node: dict[str, Any], *, in_traits: bool) -> bool:
        changed = False
        named = node.get("type") if "id" in node else None
        for key, value in node.items():
            kind = self._kind_of(key, in_traits)
            if key == "id" and isinstance(named, str):
                kind = self._kind_of(named, True) or ID
            if isinstance(value, dict | list):
                inside = in_traits or key == "traits"
                changed |= self.walk(value, in_traits=inside, kind="" if kind == ID else kind)
            elif kind or isinstance(value, str):
                node[key] = self._covered(kind, value)
                changed |= node[key] is not value
        return changed

    def _covered(self, kind: str, value: Any) -> Any:
        """Give the value itself when there is nothing to cover."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return value
        if not kind:
            return self._text(value) if isinstance(value, str) else value
        text = _written(value)
        if not text.strip() or is_token(text):
            return value
        if kind != ID:
            return self._swap(kind, text)
        found = covered_id(text, self._swap)
        return found if found != text else value

    def _text(self, value: str) -> str:
        if "@" not in value and "%40" not in value:
            return value
        found = EMAIL.sub(lambda address: self._swap("email", _plain_sign(address[0])), value)
        return found if found != value else value


def _written(value: str | int | float) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _plain_sign(address: str) -> str:
    return address.replace("%40", "@")
