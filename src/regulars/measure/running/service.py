"""Every comparison of contacted and held-out customers: arms, gates, effects, promises."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ibis import _
from ibis.expr.types import Table

from regulars.ports.engine import Reader

METRICS = ("margin", "residual_value", "sales", "orders")
ALL = "*"
JOURNEY = "journey/"
TURNS = 12
"""Turns whose offers are listed, the newest."""


@dataclass(frozen=True)
class Arm:
    """One group of a comparison.

    Attributes:
        name: contacted or held_out.
        customers: Customers in it whose outcome window has passed; all assigned while none has.
        share: Designed share of all customers; None where each turn has its own.
    """

    name: str
    customers: int
    share: float | None


@dataclass(frozen=True)
class Found:
    """One metric of a comparison.

    Attributes:
        metric: margin (after offers, before contact cost), residual_value, sales or orders.
        estimate: Effect on all contacted customers together; None where it must not be read.
        low: Lower end of the interval.
        high: Upper end of the interval.
        level: Coverage of the interval, 0 to 1.
        mde: Smallest effect that would be found four times in five.
    """

    metric: str
    estimate: float | None
    low: float | None
    high: float | None
    level: float
    mde: float | None


@dataclass(frozen=True)
class Comparison:
    """One randomised comparison.

    Attributes:
        name: Id of the campaign, journey or offer in a turn; "programme" for all contacts.
        kind: programme, campaign, journey, turn (all offers of one) or offer (one, in one turn).
        state: running while customers wait for their outcome window, ended after.
        turn: The turn whose contacts are measured, for turn and offer.
        arms: Contacted and held out.
        gate: ok, waiting (no window has passed), nobody_held_out, srm (the split is not as
            designed) or too_few.
        srm_p: P-value of the check of the split; None where it was not made.
        findings: By metric, margin first; estimates are None unless the gate is ok.
        cost: Contact cost; None for the programme.
        looks: Times it was measured.
        claims: True when an effect on margin is claimed however often it is looked at.
        from_day: First day of assignment.
        to_day: Last day of outcome, counted or to come.
    """

    name: str
    kind: str
    state: str
    turn: int | None
    arms: tuple[Arm, Arm]
    gate: str
    srm_p: float | None
    findings: tuple[Found, ...]
    cost: Decimal | None
    looks: int
    claims: bool
    from_day: date | None
    to_day: date | None

    def found(self, metric: str) -> Found | None:
        """Give what it says of one metric; None where it says nothing of it."""
        return next((one for one in self.findings if one.metric == metric), None)

    @property
    def margin(self) -> Found | None:
        """What it says of margin."""
        return self.found("margin")

    @property
    def net(self) -> float | None:
        """Margin caused minus contact cost; None where it must not be read."""
        margin = self.margin
        if margin is None or margin.estimate is None:
            return None
        return margin.estimate - float(self.cost or 0)


@dataclass(frozen=True)
class Came:
    """What decisions promised of an offer in a turn, and what came.

    Attributes:
        name: Offer and turn.
        predicted: Incremental margin the decisions expected.
        measured: Incremental margin measured.
        low: Lower end of its interval.
        high: Upper end of its interval.
    """

    name: str
    predicted: float
    measured: float
    low: float
    high: float


def comparisons(engine: Reader, *, today: date) -> list[Comparison]:
    """List the experiments of a workspace.

    Args:
        engine: Opens the lake.
        today: Tells which outcome windows are over.

    Returns:
        The programme, written campaigns and journeys (the newest first), then turns (the newest
        first); empty before anybody was assigned to anything.
    """
    written = _written(engine, today)
    return [*_programme(engine), *written, *_of_turns(engine, is_whole=True)]


def caused(engine: Reader, *, today: date) -> list[Comparison]:
    """List what each campaign, journey and offer of a turn caused.

    Args:
        engine: Opens the lake.
        today: Tells which outcome windows are over.

    Returns:
        Written campaigns and journeys, then the offers of the newest turns; empty before.
    """
    return [*_written(engine, today), *_of_turns(engine, is_whole=False)]


def promises(engine: Reader) -> list[Came]:
    """Put what was promised of each offer in a turn beside what was measured.

    Returns:
        Oldest turn first; offers whose effect must not be read are left out.
    """
    table = engine.table("predictions").filter(_.campaign_id != ALL, _.measured.notnull())
    rows = engine.rows(_newest(table).order_by("measured_turn", "campaign_id"))
    names = ("predicted", "measured", "low", "high")
    return [Came(row["campaign_id"], *(float(row[name]) for name in names)) for row in rows]


def _programme(engine: Reader) -> list[Comparison]:
    table = engine.table("programme_effects")
    rows = engine.rows(table.filter(_.turn == table.turn.max()))
    if not rows:
        return []
    said = {"cost": None, "looks": 1, "from_day": None, "to_day": None}
    return [_comparison(rows, "programme", "programme", "running", said)]


def _written(engine: Reader, today: date) -> list[Comparison]:
    """Campaigns people wrote, and journeys: those measured, and those that wait."""
    table = engine.table("campaign_effects")
    newest = table.group_by("campaign_id").agg(turn=_.turn.max())
    rows = engine.rows(table.semi_join(newest, ["campaign_id", "turn"]).order_by("campaign_id"))
    measured = _by(rows, "campaign_id")
    found = []
    for row in engine.rows(_assigned(engine.table("campaign_assignments"))):
        name = row["campaign_id"]
        kind = "journey" if name.startswith(JOURNEY) else "campaign"
        state = "running" if row["to_day"] >= today else "ended"
        if name in measured:
            first = measured[name][0]
            parts = {part: first[part] for part in ("cost", "looks", "from_day")}
            said = parts | {"to_day": row["to_day"], "share": first["holdout_share"]}
            found.append(_comparison(measured[name], name, kind, state, said))
        else:
            found.append(_waiting(row, kind, state))
    return found


def _assigned(assignments: Table) -> Table:
    """Count the customers of each campaign; the programme's control group belongs to none."""
    mine = assignments.filter(~_.is_global_holdout)
    until = (_.business_date + _.window_days.as_interval("D")).max().cast("date")
    return (
        mine
        .group_by("campaign_id")
        .agg(
            assigned=_.count(),
            held=_.is_campaign_holdout.sum(),
            from_day=_.business_date.min(),
            to_day=until,
        )
        .order_by(_.from_day.desc(), _.campaign_id)
    )


def _waiting(row: dict[str, Any], kind: str, state: str) -> Comparison:
    held, assigned = int(row["held"]), int(row["assigned"])
    arms = Arm("contacted", assigned - held, None), Arm("held_out", held, None)
    gate = "waiting" if held else "nobody_held_out"
    days = row["from_day"], row["to_day"]
    return Comparison(
        row["campaign_id"], kind, state, None, arms, gate, None, (), None, 0, False, *days
    )


def _of_turns(engine: Reader, *, is_whole: bool) -> list[Comparison]:
    """The newest turns, as measured last: whole, or offer by offer."""
    table = engine.table("effects")
    table = table.filter(_.campaign_id == ALL if is_whole else _.campaign_id != ALL)
    rows = engine.rows(_newest(table).order_by(_.measured_turn.desc(), _.campaign_id))
    turns = sorted({row["measured_turn"] for row in rows}, reverse=True)[:TURNS]
    found = []
    for (turn, name), mine in _by(rows, "measured_turn", "campaign_id").items():
        if turn in turns:
            told = {"cost": mine[0]["cost"], "looks": 1, "from_day": None, "to_day": None}
            title, kind = (str(turn), "turn") if is_whole else (name, "offer")
            found.append(_comparison(mine, title, kind, "ended", told | {"turn": turn}))
    return found


def _newest(table: Table) -> Table:
    """Keep, of a turn measured more than once, the newest measurement."""
    newest = table.group_by("measured_turn").agg(turn=_.turn.max())
    return table.semi_join(newest, ["measured_turn", "turn"])


def _comparison(
    rows: Sequence[dict[str, Any]], name: str, kind: str, state: str, said: dict[str, Any]
) -> Comparison:
    first = next((row for row in rows if row["metric"] == "margin"), rows[0])
    share = said.get("share")
    arms = (
        Arm("contacted", first["treated"], None if share is None else 1 - share),
        Arm("held_out", first["control"], share),
    )
    gate = first["status"] if first["control"] else "nobody_held_out"
    return Comparison(
        name, kind, state, said.get("turn"), arms, gate, first["srm_p"],
        tuple(_findings(rows, is_readable=gate == "ok")),
        said["cost"], said["looks"], bool(first.get("claims", False)),
        said["from_day"], said["to_day"],
    )  # fmt: skip


def _findings(rows: Iterable[dict[str, Any]], *, is_readable: bool) -> list[Found]:
    known = [row for row in rows if row["metric"] in METRICS]
    found = []
    for row in sorted(known, key=lambda row: METRICS.index(row["metric"])):
        estimate, low, high = (
            row[part] if is_readable else None for part in ("estimate", "low", "high")
        )
        found.append(Found(row["metric"], estimate, low, high, row["level"], row["mde"]))
    return found


def _by(rows: Iterable[dict[str, Any]], *columns: str) -> dict[Any, list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        key = tuple(row[column] for column in columns)
        found.setdefault(key if len(key) > 1 else key[0], []).append(row)
    return found
