"""Evidence, names and human decisions in the state, each change in the audit log."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.govern.copycheck.evidence import CatalogueName, Evidence
from regulars.govern.copycheck.findings import Finding
from regulars.govern.copycheck.kept.decisions import Decision, Verdict
from regulars.ports.state import Queries, State

_QUERIES = Queries(__package__)


def keep_evidence(
    state: State, evidence: Sequence[Evidence], *, actor: str, now: datetime
) -> list[Evidence]:
    """Keep evidence; one with an id there is already replaces it.

    Args:
        state: The workspace's state.
        evidence: What is kept.
        actor: Who keeps it.
        now: The moment, aware.

    Returns:
        What was kept.

    Raises:
        InputError: An id, a kind or a claim is empty.
    """
    for one in evidence:
        if not (one.evidence_id.strip() and one.kind.strip() and one.claim.strip()):
            raise InputError(f"evidence {one.evidence_id!r} needs an id, a kind and a claim")
    rows = [
        asdict(one)
        | {
            "valid_to": one.valid_to.isoformat() if one.valid_to else None,
            "offsets_used": int(one.offsets_used),
            "actor": actor,
            "at": _text(now),
        }
        for one in evidence
    ]
    with state.transaction() as transaction:
        transaction.many(_QUERIES["keep_evidence"], rows)
        for one in evidence:
            record(
                transaction,
                actor=actor,
                action="copy_evidence.keep",
                subject=one.evidence_id,
                detail={"kind": one.kind, "claim": one.claim, "valid_to": str(one.valid_to)},
                at=now,
            )
    return list(evidence)


def kept_evidence(state: State) -> list[Evidence]:
    """Give the evidence on file, by id; what is over stays listed."""
    with state.reading() as reading:
        rows = reading.all(_QUERIES["evidence"])
    return [
        Evidence(
            **row
            | {
                "valid_to": date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
                "offsets_used": bool(row["offsets_used"]),
            }
        )
        for row in rows
    ]


def keep_names(
    state: State, names: Sequence[CatalogueName], *, actor: str, now: datetime
) -> list[CatalogueName]:
    """Keep names of the catalogue: brands, trademarks, products.

    Returns:
        What was kept.

    Raises:
        InputError: A name is empty.
    """
    if any(not one.name.strip() for one in names):
        raise InputError("a name is empty; give the brand, trademark or product as it is written")
    with state.transaction() as transaction:
        transaction.many(
            _QUERIES["keep_name"],
            [asdict(one) | {"actor": actor, "at": _text(now)} for one in names],
        )
        for one in names:
            record(
                transaction,
                actor=actor,
                action="copy_name.keep",
                subject=one.name,
                detail={"kind": one.kind, "record": one.record},
                at=now,
            )
    return list(names)


def kept_names(state: State) -> list[CatalogueName]:
    """Give the names on file, by name."""
    with state.reading() as reading:
        return [CatalogueName(**row) for row in reading.all(_QUERIES["names"])]


def decide(
    state: State,
    finding: Finding,
    *,
    verdict: str,
    reason: str,
    actor: str,
    now: datetime,
    product: str = "",
) -> Decision:
    """Keep a human decision about a finding.

    It counts again only for the same words, product, evidence and version of the rule.

    Args:
        state: The workspace's state.
        finding: The finding decided about.
        verdict: allow or refuse.
        reason: Why; kept and shown.
        actor: Who decides.
        now: The moment, aware.
        product: Product of the copy; "" for none.

    Returns:
        The decision.

    Raises:
        UnknownName: There is no such verdict.
        InputError: There is no reason, or the finding is of something missing: adding it is the
            only way.
    """
    if verdict not in list(Verdict):
        raise UnknownName("verdict", verdict, [one.value for one in Verdict])
    if not reason.strip():
        raise InputError("reason is empty; say why, for whoever asks later")
    if not finding.text:
        raise InputError(f"{finding.rule} says that something is missing; add it to the copy")
    made = Decision(
        finding.text,
        product,
        finding.evidence_id,
        finding.rule,
        finding.rule_version,
        Verdict(verdict),
        reason.strip(),
        actor,
        _text(now),
    )
    with state.transaction() as transaction:
        transaction.run(_QUERIES["decide"], **asdict(made) | {"verdict": made.verdict.value})
        record(
            transaction,
            actor=actor,
            action=f"copy.{made.verdict}",
            subject=finding.rule,
            detail={"words": finding.text, "product": product, "reason": made.reason},
            at=now,
        )
    return made


def kept_decisions(state: State) -> list[Decision]:
    """Give every decision, the newest first."""
    with state.reading() as reading:
        rows = reading.all(_QUERIES["decisions"])
    return [Decision(**row | {"verdict": Verdict(row["verdict"])}) for row in rows]


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
