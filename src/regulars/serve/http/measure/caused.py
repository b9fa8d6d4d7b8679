"""What contacts caused: the programme against its holdout, every campaign against its own."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from ibis import _
from ibis.expr.types import Table

from regulars.errors import UnknownName
from regulars.ports.engine import Reader
from regulars.serve.http.door.numbers import NumberInPath
from regulars.serve.http.reach import Ledger, ledger

router = APIRouter()
METRICS = ("margin", "sales", "orders", "residual_value")
ALL_CAMPAIGNS = "*"


@dataclass(frozen=True)
class Effect:
    """One measured effect on all treated customers together.

    Attributes:
        metric: margin (after offers, before contact cost), sales, orders or residual_value.
        treated: Customers assigned to contact.
        control: Customers held out.
        status: "ok", or why it must not be read: srm (the split is not as designed), too_few.
        estimate: The effect, in money or orders; None when it must not be read.
        low: Lower end of the interval.
        high: Upper end of the interval.
        level: Coverage of the interval, 0 to 1.
        mde: Smallest effect that would be found four times in five.
    """

    metric: str
    treated: int
    control: int
    status: str
    estimate: float | None
    low: float | None
    high: float | None
    level: float
    mde: float | None


@dataclass(frozen=True)
class Programme:
    """What all contacts so far caused, against the global holdout.

    Attributes:
        from_turn: First turn counted.
        to_turn: Last turn counted.
        effects: By metric, margin first.
        claims: True when an effect on margin is claimed.
        contact_cost: Spent on contacts in those turns.
        net: Margin caused minus contact cost; None when nothing may be read.
    """

    from_turn: int
    to_turn: int
    effects: list[Effect]
    claims: bool
    contact_cost: Decimal
    net: float | None

    @property
    def margin(self) -> Effect | None:
        """The effect on margin."""
        return next((e for e in self.effects if e.metric == "margin"), None)


@dataclass(frozen=True)
class TurnEffect:
    """What the contacts of one turn caused, all campaigns together.

    Attributes:
        turn: The turn whose contacts are measured.
        effect: The effect on margin.
        cost: Contact cost of the treated.
    """

    turn: int
    effect: Effect
    cost: Decimal


@dataclass(frozen=True)
class Prediction:
    """What the decisions expected of a campaign, beside what was measured.

    Attributes:
        predicted: Incremental margin expected.
        measured: Incremental margin measured; None when it must not be read.
        low: Lower end of the measured interval.
        high: Upper end of the measured interval.
        inside: True when the prediction lies in the interval.
    """

    predicted: float
    measured: float | None
    low: float | None
    high: float | None
    inside: bool | None


@dataclass(frozen=True)
class Campaign:
    """One offer in one turn.

    Attributes:
        campaign_id: Offer and turn.
        turn: The turn.
        offer_id: The offer.
        offer: Its name, or its id when it has none.
        chosen: Customers chosen for it, held out or not.
        ledger: How they ended.
        effects: Measured, by metric; empty until the window has passed.
        prediction: Expected beside measured; None until then.
    """

    campaign_id: str
    turn: int
    offer_id: str
    offer: str
    chosen: int
    ledger: Ledger
    effects: list[Effect]
    prediction: Prediction | None

    @property
    def margin(self) -> Effect | None:
        """The effect on margin, when measured."""
        return next((e for e in self.effects if e.metric == "margin"), None)


@dataclass(frozen=True)
class CampaignEffect:
    """What a written campaign or a journey caused, as measured last.

    Attributes:
        campaign_id: The campaign or journey.
        effects: By metric, margin first.
        assigned: Customers assigned so far, those of the global holdout left out.
        holdout_share: Designed share held out, 0 to 1.
        from_day: First day a measured customer was assigned.
        to_day: Last day of outcome counted.
        cost: Contact cost so far.
        net: Margin caused minus contact cost; None when nothing may be read.
        looks: Times it has been measured.
        claims: True when an effect on margin is claimed.
    """

    campaign_id: str
    effects: list[Effect]
    assigned: int
    holdout_share: float
    from_day: date
    to_day: date
    cost: Decimal
    net: float | None
    looks: int
    claims: bool

    @property
    def margin(self) -> Effect | None:
        """The effect on margin."""
        return next((e for e in self.effects if e.metric == "margin"), None)


def campaign_effects(engine: Reader, campaign_id: str = "") -> list[CampaignEffect]:
    """Tell what written campaigns and journeys caused, as measured last.

    Args:
        engine: Opens the lake.
        campaign_id: One campaign or journey only; "" for all.

    Returns:
        By campaign id; empty where no window has passed yet.
    """
    table = engine.table("campaign_effects")
    if campaign_id:
        table = table.filter(_.campaign_id == campaign_id)
    newest = table.group_by("campaign_id").agg(turn=_.turn.max())
    rows = engine.rows(table.semi_join(newest, ["campaign_id", "turn"]).order_by("campaign_id"))
    return [_campaign_effect(mine) for mine in _rows_by(rows, "campaign_id").values()]


def _campaign_effect(rows: list[dict[str, Any]]) -> CampaignEffect:
    effects, first = _effects(rows), rows[0]
    margin = next((one.estimate for one in effects if one.metric == "margin"), None)
    return CampaignEffect(
        first["campaign_id"],
        effects,
        first["assigned"],
        first["holdout_share"],
        first["from_day"],
        first["to_day"],
        first["cost"],
        None if margin is None else margin - float(first["cost"]),
        first["looks"],
        any(row["claims"] for row in rows),
    )


def programme(engine: Reader) -> Programme | None:
    """Tell what all contacts so far caused.

    Returns:
        None before the first measurement.
    """
    table = engine.table("programme_effects")
    rows = engine.rows(table.filter(_.turn == table.turn.max()))
    if not rows:
        return None
    first, last = rows[0]["from_turn"], rows[0]["to_turn"]
    [spent] = engine.rows(
        engine.table("contacts").filter(_.turn.between(first, last)).agg(cost=_.cost.sum())
    )
    effects = _effects(rows)
    cost = spent["cost"] or Decimal("0.00")
    margin = next((e for e in effects if e.metric == "margin"), None)
    can_read = margin is not None and margin.estimate is not None
    return Programme(
        first,
        last,
        effects,
        any(row["claims"] for row in rows if row["metric"] == "margin"),
        cost,
        margin.estimate - float(cost) if margin and can_read else None,  # type: ignore[operator]
    )


def turn_effects(engine: Reader) -> list[TurnEffect]:
    """Tell what the contacts of each turn caused.

    Returns:
        One per measured turn, in order; as measured last.
    """
    table = _last_measured(engine.table("effects"))
    rows = engine.rows(
        table.filter(_.campaign_id == ALL_CAMPAIGNS, _.metric == "margin").order_by("measured_turn")
    )
    return [TurnEffect(row["measured_turn"], _effect(row), row["cost"]) for row in rows]


def campaigns(engine: Reader, *, turn: int) -> list[Campaign]:
    """List the campaigns of a turn.

    Returns:
        By campaign id; empty when the turn chose nobody.
    """
    chosen = (
        engine
        .table("decisions")
        .filter(_.turn == turn, _.campaign_id.notnull())
        .group_by("campaign_id", "offer_id")
        .agg(chosen=_.count())
        .order_by("campaign_id")
    )
    rows = engine.rows(chosen)
    names = offer_names(engine)
    effects = _rows_by(engine.rows(_of_turn(engine, "effects", turn)), "campaign_id")
    predicted = _rows_by(engine.rows(_of_turn(engine, "predictions", turn)), "campaign_id")
    return [
        Campaign(
            row["campaign_id"],
            turn,
            row["offer_id"],
            names.get(row["offer_id"], row["offer_id"]),
            row["chosen"],
            ledger(engine, turn=turn, campaign_id=row["campaign_id"]),
            _effects(effects.get(row["campaign_id"], [])),
            _prediction(predicted.get(row["campaign_id"], [])),
        )
        for row in rows
    ]


def campaign(engine: Reader, campaign_id: str) -> Campaign:
    """Find one campaign.

    Returns:
        The campaign.

    Raises:
        UnknownName: No decision ever chose it.
    """
    decisions = engine.table("decisions")
    rows = engine.rows(decisions.filter(_.campaign_id == campaign_id).agg(turn=_.turn.max()))
    if rows[0]["turn"] is None:
        known = engine.rows(
            decisions
            .filter(_.campaign_id.notnull())
            .select("campaign_id")
            .distinct()
            .order_by(_.campaign_id.desc())
            .limit(5)
        )
        raise UnknownName("campaign", campaign_id, [row["campaign_id"] for row in known])
    found = campaigns(engine, turn=rows[0]["turn"])
    return next(one for one in found if one.campaign_id == campaign_id)


def offer_names(engine: Reader) -> dict[str, str]:
    """Give the name of every offer.

    Returns:
        Name by offer id; the id itself for an offer without a name.
    """
    rows = engine.rows(engine.table("offers").select("offer_id", "name").order_by("offer_id"))
    return {row["offer_id"]: row["name"] or row["offer_id"] for row in rows}


def decided_turns(engine: Reader) -> list[int]:
    """List the turns that decided something.

    Returns:
        The newest first.
    """
    rows = engine.rows(engine.table("decisions").select("turn").distinct().order_by(_.turn.desc()))
    return [row["turn"] for row in rows]


def _last_measured(table: Table) -> Table:
    """Keep, of a turn measured more than once, the newest measurement."""
    newest = table.group_by("measured_turn").agg(turn=_.turn.max())
    return table.semi_join(newest, ["measured_turn", "turn"])


def _of_turn(engine: Reader, name: str, turn: int) -> Table:
    table = engine.table(name).filter(_.measured_turn == turn)
    return _last_measured(table).order_by("campaign_id")


def _rows_by(rows: list[dict[str, Any]], column: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found


def _effects(rows: list[dict[str, Any]]) -> list[Effect]:
    known = [row for row in rows if row["metric"] in METRICS]
    return [_effect(row) for row in sorted(known, key=lambda row: METRICS.index(row["metric"]))]


def _effect(row: dict[str, Any]) -> Effect:
    is_readable = row["status"] == "ok"
    return Effect(
        row["metric"],
        row["treated"],
        row["control"],
        row["status"],
        row["estimate"] if is_readable else None,
        row["low"] if is_readable else None,
        row["high"] if is_readable else None,
        row["level"],
        row["mde"],
    )


def _prediction(rows: list[dict[str, Any]]) -> Prediction | None:
    if not rows:
        return None
    names = ("predicted", "measured", "low", "high", "inside")
    return Prediction(**{name: rows[0][name] for name in names})


@router.get("/api/measure/programme", tags=["measure"])
def read_programme(request: Request) -> Programme | None:
    """What all contacts so far caused, against the global holdout; null before measuring."""
    with request.state.caller.workspace.reading() as engine:
        return programme(engine)


@router.get("/api/measure/turns", tags=["measure"])
def read_turn_effects(request: Request) -> list[TurnEffect]:
    """What the contacts of each turn caused."""
    with request.state.caller.workspace.reading() as engine:
        return turn_effects(engine)


@router.get("/api/measure/turns/{turn}/campaigns", tags=["measure"])
def read_campaigns(request: Request, turn: NumberInPath) -> list[Campaign]:
    """The campaigns of a turn, with effect, prediction and ledger."""
    with request.state.caller.workspace.reading() as engine:
        return campaigns(engine, turn=turn)


@router.get("/api/measure/campaigns/{campaign_id}", tags=["measure"])
def read_campaign(request: Request, campaign_id: str) -> Campaign:
    """One campaign, with effect, prediction and ledger."""
    with request.state.caller.workspace.reading() as engine:
        return campaign(engine, campaign_id)


@router.get("/api/measure/campaign-effects", tags=["measure"])
def read_campaign_effects(request: Request, campaign_id: str = "") -> list[CampaignEffect]:
    """What written campaigns and journeys caused, against the customers held out of each."""
    with request.state.caller.workspace.reading() as engine:
        return campaign_effects(engine, campaign_id)
