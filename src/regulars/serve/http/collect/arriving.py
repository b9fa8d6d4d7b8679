"""How events arrive: sources with their keys, what came of everything, scores, the drain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from regulars.collect.connectors.unreadable.service import Unread, unread_files
from regulars.collect.ingest.drain.lag import read_lags
from regulars.collect.ingest.drain.ledger.service import COUNTS, totals
from regulars.collect.ingest.keys.service import (
    Limits,
    WriteKey,
    add_write_key,
    list_write_keys,
    revoke_write_keys,
)
from regulars.collect.quality.scores import QualityScore
from regulars.collect.quality.service import quality_by_source
from regulars.govern.audit.service import anchor
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.door.workspaces import Workspace

SILENT_SECONDS = 30
_NONE = dict.fromkeys(COUNTS, 0)


@dataclass(frozen=True)
class SourceState:
    """One source of events.

    Attributes:
        source: Its name.
        counts: Events received, and by what came of them.
        scores: Quality score by dimension.
        keys: Its keys, those that work first.
    """

    source: str
    counts: Mapping[str, int]
    scores: Mapping[str, QualityScore] = field(default_factory=dict)
    keys: tuple[WriteKey, ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether everything received has exactly one fate."""
        return _adds_up(self.counts)


@dataclass(frozen=True)
class DrainState:
    """How the drain stands, all its processes together.

    Attributes:
        said_at: When it last said so, aware UTC.
        is_running: It said so lately.
        lag_seconds: Seconds since the oldest event not stored yet was received.
        backlog_bytes: Bytes of the log nobody decided on yet.
        events_per_second: Events decided per second.
        followers: Batches each follower lacks, by name.
        trouble: What keeps it from going on; "" when nothing does.
    """

    said_at: datetime
    is_running: bool
    lag_seconds: float
    backlog_bytes: int
    events_per_second: float
    followers: Mapping[str, int]
    trouble: str


@dataclass(frozen=True)
class Arriving:
    """How events arrive.

    Attributes:
        counts: Events received from all sources, and by what came of them.
        sources: By name.
        files: Quality scores of the tables files feed, by table and dimension.
        drain: How the drain stands; None when none ever ran.
        unread: Files of sources that the last pull could not read.
    """

    counts: Mapping[str, int]
    sources: list[SourceState]
    files: Mapping[str, Mapping[str, QualityScore]]
    drain: DrainState | None
    unread: Sequence[Unread] = ()

    @property
    def adds_up(self) -> bool:
        """Whether everything received has exactly one fate."""
        return _adds_up(self.counts)


def arriving(workspace: Workspace, *, now: datetime) -> Arriving:
    """Tell how events arrive.

    Args:
        workspace: Whose events.
        now: The moment, aware.

    Returns:
        Every source that has a key or sent anything.
    """
    state, zone = workspace.state, workspace.settings.retailer.zone
    ledger, keys = totals(state), list_write_keys(state)
    with workspace.reading() as engine:
        scores = quality_by_source(engine, state, now=now, zone=zone)
    by_kind: dict[str, dict[str, dict[str, QualityScore]]] = {"events": {}, "files": {}}
    for score in scores:
        by_kind[score.kind].setdefault(score.source, {})[score.dimension] = score
    names = sorted({*ledger["sources"], *by_kind["events"], *(one.source for one in keys)})
    sources = [
        SourceState(
            name,
            ledger["sources"].get(name, _NONE),
            by_kind["events"].get(name, {}),
            tuple(
                sorted(
                    (one for one in keys if one.source == name),
                    key=lambda one: (one.revoked_at is not None, one.created_at),
                )
            ),
        )
        for name in names
    ]
    counts = {name: ledger[name] for name in COUNTS}
    drain = drain_state(workspace, now=now)
    return Arriving(counts, sources, by_kind["files"], drain, unread_files(state))


def drain_state(workspace: Workspace, *, now: datetime) -> DrainState | None:
    """Tell how the drain of a workspace stands; None when none ever ran."""
    lags = read_lags(workspace.folder)
    if not lags:
        return None
    said_at = datetime.fromtimestamp(min(one.at for one in lags) / 1e6, UTC)
    followers: dict[str, int] = {}
    for lag in lags:
        for name, batches in lag.followers.items():
            followers[name] = followers.get(name, 0) + batches
    return DrainState(
        said_at,
        (now - said_at).total_seconds() < SILENT_SECONDS,
        max(one.lag_seconds for one in lags),
        sum(one.backlog_bytes for one in lags),
        sum(one.events_per_second for one in lags),
        followers,
        next((one.trouble for one in lags if one.trouble), ""),
    )


def give_key(caller: Caller, source: str, origins: str = "") -> str:
    """Give out a write key for a source.

    Args:
        caller: Who gives it out.
        source: The source.
        origins: Origins browsers may send it from, separated by spaces; empty for any.

    Returns:
        The key; it is shown this once.

    Raises:
        InputError: The source cannot be named so.
    """
    state = caller.workspace.state
    limits = Limits(origins=origins.split())
    _, key = add_write_key(
        state, source=source.strip(), actor=caller.actor, now=caller.now, limits=limits
    )
    anchor(state, folder=caller.workspace.folder, at=caller.now)
    return key


def revoke_key(caller: Caller, source: str, hint: str) -> int:
    """Stop one key of a source from working.

    Returns:
        Keys that worked until now.
    """
    state = caller.workspace.state
    gone = revoke_write_keys(state, source=source, hint=hint, actor=caller.actor, now=caller.now)
    anchor(state, folder=caller.workspace.folder, at=caller.now)
    return gone


def _adds_up(counts: Mapping[str, int]) -> bool:
    return counts["received"] == sum(counts[name] for name in COUNTS[1:])
