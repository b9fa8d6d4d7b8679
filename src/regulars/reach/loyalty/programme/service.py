"""The programme in the state, version by version."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from regulars.errors import NotReady
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.loyalty.ledger.records import text_of
from regulars.reach.loyalty.programme.definition import Programme
from regulars.reach.loyalty.programme.reading import read_programme

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Kept:
    """One version of the programme as it was kept.

    Attributes:
        version: 1 for the first.
        body: The TOML.
        kept_by: Who kept it.
        kept_at: When, UTC ISO text.
    """

    version: int
    body: str
    kept_by: str
    kept_at: str


def keep_programme(
    state: State, body: str, *, actor: str, now: datetime, currency: str = "CNY"
) -> Programme:
    """Keep a programme; the same text again is no new version.

    Orders that earned points under an earlier version stay as that version says.

    Args:
        state: The transactional store.
        body: The TOML.
        actor: Who keeps it, for the audit log.
        now: The moment, aware.
        currency: ISO 4217 code of the workspace.

    Returns:
        The programme with its version.

    Raises:
        InputError: A part cannot be used.
        NotAllowed: The law does not allow its draw.
    """
    made = read_programme(body, currency=currency)
    with state.transaction() as opened:
        rows = opened.all(_SQL["newest"])
        if rows and rows[0]["body"] == body:
            return replace(made, version=rows[0]["version"])
        version = rows[0]["version"] + 1 if rows else 1
        opened.run(_SQL["keep"], version=version, body=body, kept_by=actor, kept_at=text_of(now))
        record(
            opened,
            actor=actor,
            action="points.programme",
            subject=made.name,
            detail={"version": version},
            at=now,
        )
    return replace(made, version=version)


def find_programme(state: State) -> Programme | None:
    """Give the programme in force; None when there is none."""
    with state.reading() as opened:
        return programme_in(opened)


def programme_in(opened: Transaction) -> Programme | None:
    """Give the programme in force, within a transaction; None when there is none."""
    rows = opened.all(_SQL["newest"])
    return replace(_read(rows[0]["body"]), version=rows[0]["version"]) if rows else None


def need_programme(opened: Transaction) -> Programme:
    """Give the programme in force.

    Returns:
        The programme, with its version.

    Raises:
        NotReady: There is none yet.
    """
    found = programme_in(opened)
    if found is None:
        raise NotReady("there is no points programme; run: regulars reach points rules put FILE")
    return found


def versions(state: State) -> list[Kept]:
    """List every version of the programme, the first first."""
    with state.reading() as opened:
        return [Kept(**row) for row in opened.all(_SQL["every"])]


def programmes(state: State) -> dict[int, Programme]:
    """Give every version of the programme by its number."""
    return {one.version: replace(_read(one.body), version=one.version) for one in versions(state)}


@lru_cache(maxsize=64)
def _read(body: str) -> Programme:
    # It was allowed when it was kept; a law of later is asked when it is kept again.
    return read_programme(body, currency="")
