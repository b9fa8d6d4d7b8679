"""Sources: what can be connected, what is, which steps read it; and the inbox of webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from regulars.collect.connectors import SOURCE_KINDS, SourceKind, source_kind
from regulars.collect.connectors.inbox import receive
from regulars.errors import InputError, UnknownName
from regulars.govern.legal_basis.service import legal_bases, require_legal_basis
from regulars.ports.steps import REGISTRY
from regulars.settings import SourceSettings

router = APIRouter()


@dataclass(frozen=True)
class ConnectedSource:
    """One source named in the settings.

    Attributes:
        name: The source.
        via: How it is read.
        is_open: False while a legal basis is missing.
    """

    name: str
    via: str
    is_open: bool


@dataclass(frozen=True)
class FedTable:
    """One table a kind of source feeds.

    Attributes:
        name: The table.
        read_by: Steps of the loop that read it.
    """

    name: str
    read_by: list[str]


@dataclass(frozen=True)
class KindOfSource:
    """One kind of source, and the way its data takes: kind, sources, tables, steps.

    Attributes:
        name: The kind.
        title: What people call it.
        chinese: The same in Chinese.
        means: What it brings.
        ways: How it can be read.
        is_personal: True when it tells of persons.
        gate: Kind of legal basis it needs first; "" for none.
        sources: Sources of this kind named in the settings.
        tables: Tables it feeds.
    """

    name: str
    title: str
    chinese: str
    means: str
    ways: list[str]
    is_personal: bool
    gate: str
    sources: list[ConnectedSource]
    tables: list[FedTable]


@dataclass(frozen=True)
class Received:
    """A posted body that was kept.

    Attributes:
        source: The source it was posted to.
        file: Name of the file it is kept in; the same body has the same name.
    """

    source: str
    file: str


def lineage(settings: Mapping[str, SourceSettings], based: Mapping[str, str]) -> list[KindOfSource]:
    """Tell which kinds of sources there are and where their data goes.

    Args:
        settings: Sources named in the settings.
        based: Kind of the legal basis that holds, by source.

    Returns:
        Every kind, by name.
    """
    import_module("regulars.loop")
    return [_kind(kind, settings, based) for kind in SOURCE_KINDS.values()]


def _kind(
    kind: SourceKind, settings: Mapping[str, SourceSettings], based: Mapping[str, str]
) -> KindOfSource:
    connected = [
        ConnectedSource(name, one.via, not kind.gate or based.get(name) == kind.gate)
        for name, one in sorted(settings.items())
        if one.kind == kind.name
    ]
    tables = [
        FedTable(table, sorted(s.name for s in REGISTRY.values() if table in s.reads))
        for table in kind.tables
    ]
    return KindOfSource(
        kind.name,
        kind.title,
        kind.chinese,
        kind.means,
        list(kind.ways),
        kind.is_personal,
        kind.gate,
        connected,
        tables,
    )


@router.get("/api/collect/sources", tags=["collect"])
def read_sources(request: Request) -> list[KindOfSource]:
    """Every kind of source, the sources connected, the tables they feed, the steps reading them."""
    workspace = request.state.caller.workspace
    based = {b.source: b.kind for b in legal_bases(workspace.state) if b.withdrawn_at is None}
    return lineage(workspace.settings.sources, based)


@router.post("/api/collect/inbox/{source}", tags=["collect"])
async def post_inbox(request: Request, source: str) -> Received:
    """Keep what another system posts, on disk before the answer; read at the next pull."""
    workspace = request.state.caller.workspace
    known = workspace.settings.sources
    if source not in known:
        raise UnknownName("source", source, known)
    if known[source].via != "inbox":
        raise InputError(f'source {source} is read by {known[source].via}; set via = "inbox"')
    body = await request.body()
    gate = source_kind(known[source].kind).gate
    await run_in_threadpool(require_legal_basis, workspace.state, source=source, kind=gate)
    return Received(source, await run_in_threadpool(receive, workspace.folder, source, body))
