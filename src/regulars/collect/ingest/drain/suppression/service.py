"""The ids of erased customers: no event that carries one is stored."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.ports.state import Queries, State

_SQL = Queries(__package__)
_ELSEWHERE = "elsewhere:"
_HOLDERS = re.compile(r'"(?:externalIds|traits)"')
_TOKEN = re.compile(r"tok_[a-z]+_[0-9a-f]{32}")


def suppress_ids(state: State, values: Iterable[str], *, now: datetime) -> int:
    """Keep nothing that carries one of these ids from now on.

    What the log acknowledged before may be decided already: erase from tables only after the
    drain has passed what was in the log at this moment.

    Args:
        state: The workspace's state.
        values: User ids and anonymous ids of one customer, under the names that stand for
            them, and tokens.
        now: The moment, aware.

    Returns:
        Ids that were not suppressed before.
    """
    since = now.astimezone(UTC).isoformat(timespec="seconds")
    rows = [{"value": value, "since": since} for value in sorted(set(values))]
    with state.transaction() as opened:
        return opened.many(_SQL["add"], rows)


def named_elsewhere(name: str) -> str:
    """Mark the name of an id that does not stand as user id or id of a browser: an openid.

    Args:
        name: What stands for the id.

    Returns:
        What to give `suppress_ids`: events are looked through for it.

    Example:
        >>> named_elsewhere("proof-1")
        'elsewhere:proof-1'
    """
    return f"{_ELSEWHERE}{name}"


class Suppressed:
    """Says of which events nothing may be kept; reads the list again when it grew.

    Args:
        state: The workspace's state.
        named: Gives the name an id was suppressed under, which does not tell the id; tokens
            are names already.
    """

    def __init__(self, state: State, named: Callable[[str], str] = str) -> None:
        """Read nothing yet."""
        self._state, self._named = state, named
        self._count = 0
        self._ids: set[str] = set()

    def __call__(self, rows: pa.Table) -> NDArray[np.bool_]:
        """Find events that carry a suppressed id.

        Args:
            rows: Events, columns user_id, anonymous_id and payload; identifiers are tokens.

        Returns:
            True where nothing may be kept, shape (rows,).
        """
        self._refresh()
        found = np.zeros(rows.num_rows, np.bool_)
        if not self._ids or not rows.num_rows:
            return found
        for name in ("user_id", "anonymous_id"):
            given = filter(None, pc.unique(rows[name]).to_pylist())
            listed = pa.array([one for one in given if self._is_listed(one)], pa.string())
            if len(listed):
                found |= pc.is_in(rows[name], value_set=listed).to_numpy()
        if any(_TOKEN.fullmatch(value) for value in self._ids):
            suspects = pc.match_substring(rows["payload"], "tok_").to_numpy() & ~found
            for place in np.flatnonzero(suspects).tolist():
                tokens = _TOKEN.findall(rows["payload"][place].as_py())
                found[place] = not self._ids.isdisjoint(tokens)
        if any(value.startswith(_ELSEWHERE) for value in self._ids):
            holding = pc.match_substring_regex(rows["payload"], _HOLDERS.pattern).to_numpy()
            for place in np.flatnonzero(holding & ~found).tolist():
                found[place] = any(
                    named_elsewhere(self._named(one)) in self._ids
                    for one in _given_in(rows["payload"][place].as_py())
                )
        return found

    def _is_listed(self, value: str) -> bool:
        is_name = _TOKEN.fullmatch(value) is not None
        return (value if is_name else self._named(value)) in self._ids

    def _refresh(self) -> None:
        with self._state.reading() as opened:
            [stamp] = opened.all(_SQL["stamp"])
            if stamp["ids"] != self._count:
                self._ids = {row["value"] for row in opened.all(_SQL["all"])}
                self._count = stamp["ids"]


def _given_in(payload: str) -> Iterator[str]:
    """Give every text an event says somebody is known by, but for its own two ids."""
    try:
        event = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return
    if not isinstance(event, dict):
        return
    context = event.get("context")
    context = context if isinstance(context, dict) else {}
    yield from _texts([event.get("traits"), context.get("traits"), context.get("externalIds")])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
