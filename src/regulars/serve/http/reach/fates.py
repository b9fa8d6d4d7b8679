"""How every customer of an audience ended: fates by reason, which add up to the audience."""

from dataclasses import dataclass
from decimal import Decimal

from fastapi import APIRouter, Request
from ibis import _

from regulars.ports.engine import Reader
from regulars.serve.http.door.numbers import NumberInPath
from regulars.serve.http.turns import TurnState, turns

router = APIRouter()
FATES = ("sent", "holdout", "abstained", "skipped", "deferred", "failed", "unknown")


@dataclass(frozen=True)
class FateCount:
    """Customers who ended in one way for one reason.

    Attributes:
        fate: sent, holdout, abstained, skipped, deferred, failed or unknown.
        reason: Reason code.
        customers: How many.
        cost: Contact cost spent on them.
    """

    fate: str
    reason: str
    customers: int
    cost: Decimal


@dataclass(frozen=True)
class Ledger:
    """The audience of a turn or of one campaign, to the unit.

    Attributes:
        turn: The turn; None when nobody was ever decided for.
        eligible: Customers in the audience, counted before any decision.
        fates: By fate, then most customers first; their customers sum to `eligible`.
        spend: Contact cost in all.
    """

    turn: int | None
    eligible: int
    fates: list[FateCount]
    spend: Decimal

    def of(self, fate: str) -> int:
        """Count the customers who ended one way.

        Returns:
            0 when nobody did.
        """
        return sum(count.customers for count in self.fates if count.fate == fate)


def ledger(engine: Reader, *, turn: int | None = None, campaign_id: str | None = None) -> Ledger:
    """Count how customers ended.

    Args:
        engine: The engine.
        turn: The turn; by default the last that reached somebody or nobody.
        campaign_id: Count only the customers chosen for one campaign.

    Returns:
        The ledger.
    """
    contacts, decisions = engine.table("contacts"), engine.table("decisions")
    if turn is None:
        [newest] = engine.rows(contacts.agg(turn=_.turn.max()))
        turn = newest["turn"]
    contacts, decisions = contacts.filter(_.turn == turn), decisions.filter(_.turn == turn)
    if campaign_id is not None:
        contacts = contacts.filter(_.campaign_id == campaign_id)
        decisions = decisions.filter(_.campaign_id == campaign_id)
    counted = contacts.group_by("fate", "reason").agg(customers=_.count(), cost=_.cost.sum())
    fates = [FateCount(**row) for row in engine.rows(counted)]
    fates.sort(key=lambda count: (_place(count.fate), -count.customers, count.reason))
    [audience] = engine.rows(decisions.agg(customers=_.count()))
    return Ledger(turn, audience["customers"], fates, sum((c.cost for c in fates), Decimal("0.00")))


def _place(fate: str) -> int:
    return FATES.index(fate) if fate in FATES else len(FATES)


@router.get("/api/reach/turns", tags=["reach"])
def read_turns(request: Request) -> list[TurnState]:
    """The turns of the workspace, the newest first."""
    return turns(request.state.caller.workspace.state)


@router.get("/api/reach/turns/{turn}/fates", tags=["reach"])
def read_fates(request: Request, turn: NumberInPath) -> Ledger:
    """How every customer of a turn's audience ended."""
    with request.state.caller.workspace.reading() as engine:
        return ledger(engine, turn=turn)
