"""The gate before sources of personal data: closed until a legal basis is recorded."""

from datetime import UTC, datetime

from regulars.errors import NotAllowed, UnknownName
from regulars.govern.audit.service import record
from regulars.govern.legal_basis.bases import BASES, GATED, LegalBasis, require_fitting
from regulars.ports.state import Queries, State

_QUERIES = Queries(__package__)


def add_legal_basis(
    state: State,
    *,
    source: str,
    kind: str,
    basis: str,
    evidence: str,
    actor: str,
    now: datetime,
    article: str = "",
) -> LegalBasis:
    """Record what allows a source to be read; replaces what was recorded before.

    Args:
        state: The workspace's state.
        source: The source.
        kind: Kind of source.
        basis: The basis.
        evidence: Where the proof is kept.
        actor: Who records it.
        now: The moment, aware.
        article: Article relied on, when another than the basis names.

    Returns:
        The row recorded; the audit log has an entry of it.

    Raises:
        InputError: The basis cannot carry the kind, or there is no evidence.
    """
    require_fitting(kind, basis, evidence)
    found = LegalBasis(
        source, kind, basis, article or BASES[basis], evidence.strip(), actor, _text(now)
    )
    row = vars(found) | {}
    row.pop("withdrawn_at")
    with state.transaction() as transaction:
        transaction.run(_QUERIES["add"], **row)
        record(
            transaction,
            actor=actor,
            action="legal_basis.add",
            subject=source,
            detail={name: row[name] for name in ("kind", "basis", "article", "evidence")},
            at=now,
        )
    return found


def withdraw_legal_basis(state: State, *, source: str, actor: str, now: datetime) -> None:
    """End the legal basis of a source: it is refused from now on.

    Args:
        state: The workspace's state.
        source: The source.
        actor: Who ends it.
        now: The moment, aware.

    Raises:
        UnknownName: The source has no legal basis that holds.
    """
    with state.transaction() as transaction:
        if not transaction.run(_QUERIES["withdraw"], source=source, withdrawn_at=_text(now)):
            held = [row["source"] for row in transaction.all(_QUERIES["bases"])]
            raise UnknownName("source with a legal basis", source, held)
        record(
            transaction,
            actor=actor,
            action="legal_basis.withdraw",
            subject=source,
            detail={},
            at=now,
        )


def legal_bases(state: State) -> list[LegalBasis]:
    """Give every legal basis recorded, withdrawn ones too.

    Returns:
        By source; empty in a new workspace.
    """
    with state.reading() as transaction:
        return [LegalBasis(**row) for row in transaction.all(_QUERIES["bases"])]


def require_legal_basis(state: State, *, source: str, kind: str) -> None:
    """Refuse a source of personal data whose legal basis is not recorded.

    Args:
        state: The workspace's state.
        source: The source.
        kind: Kind of source; kinds that need no legal basis pass.

    Raises:
        NotAllowed: No basis is recorded for this source and kind, or it was withdrawn.
    """
    if kind not in GATED:
        return
    held = [
        one
        for one in legal_bases(state)
        if one.source == source and one.kind == kind and one.withdrawn_at is None
    ]
    if not held:
        allowed, why = GATED[kind]
        raise NotAllowed(
            "legal-basis",
            f"source {source!r} of kind {kind} has no recorded legal basis ({why}); record one: "
            f"regulars govern legal-basis add {source} --kind {kind} "
            f"--basis {min(allowed)} --evidence <where the proof is kept>",
        )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
