"""One turn of the loop, read top to bottom.

Look: who are our customers and what are they worth. Learn: what did earlier contacts cause,
and what follows from it. Act: decide for everybody, reach those chosen. Facts come in before
the turn (`regulars collect import`), contacts go out at its end; feedback travels through
tables only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from regulars.adjust.alerts.step import watch_channels
from regulars.adjust.autotune.step import autotune
from regulars.adjust.budgeting.step import plan_money
from regulars.collect.anomalies.step import score_actors
from regulars.decide.offers.keeping.step import adopt_offers
from regulars.decide.online.service import export_decisions
from regulars.decide.policies.step import decide
from regulars.govern.consent.step import adopt_consents
from regulars.journal import alone, begin_turn, end_turn, journaled, rows_by_step
from regulars.loop.calls import call, keep_points
from regulars.loop.shop import Shop, dispatch_moment
from regulars.loop.trying import is_trial, try_models
from regulars.measure.cells.step import measure_cells
from regulars.measure.effects.step import measure_effects
from regulars.measure.effects.written.step import measure_campaigns
from regulars.ports.steps import Step
from regulars.reach.delivery.step import deliver
from regulars.reach.links.clicks.service import settle_clicks
from regulars.reach.receipts.exporting.service import export_outcomes
from regulars.reach.standing.facts.step import adopt_contact_facts
from regulars.reach.surveys.service import settle_answers
from regulars.records import Turn
from regulars.understand.churn.step import score_churn
from regulars.understand.segments.step import score_segments
from regulars.understand.value.step import score_values
from regulars.unify.profiles.step import build_profiles
from regulars.unify.tags.step import tag_customers

LOOK: tuple[Step, ...] = (
    score_actors,
    build_profiles,
    score_segments,
    score_values,
    score_churn,
    tag_customers,
)
LEARN: tuple[Step, ...] = (
    measure_effects,
    measure_campaigns,
    measure_cells,
    watch_channels,
    autotune,
    plan_money,
)
ACT: tuple[Step, ...] = (decide, deliver)


@dataclass(frozen=True)
class TurnReport:
    """What one call did.

    Attributes:
        turn: The turn.
        rows_by_step: Rows written by step, those of an interrupted call included.
        contacted: False when the turn only looked and learned.
    """

    turn: Turn
    rows_by_step: Mapping[str, int]
    contacted: bool


def run_turn(
    shop: Shop,
    as_of: date,
    *,
    contact: bool = True,
    progress: Callable[[str], None] = lambda _step: None,
) -> TurnReport:
    """Turn the loop once, or continue a turn that was interrupted.

    Args:
        shop: The open workspace.
        as_of: Last day whose facts may be read.
        contact: False to look and learn only; the same turn may then be run again.
        progress: Told the name of each step before it starts.

    Returns:
        What was done. A finished turn of the same day is reported again, not repeated.

    Raises:
        InputError: An interrupted turn waits for another day, or the day is not later than
            that of the last turn.
        Transient: Another run is at work in the workspace.
    """
    with alone(shop.folder):
        return _turn(shop, as_of, contact, progress)


def _turn(shop: Shop, as_of: date, contact: bool, progress: Callable[[str], None]) -> TurnReport:
    moment, seed = dispatch_moment(as_of, shop.settings), shop.settings.loop.seed
    turn, status = begin_turn(shop.state, as_of, moment=moment, seed=seed)
    if status != "closed":
        # Never journalled: a withdrawal that came in while a turn lay interrupted must count.
        export_outcomes(shop.state, shop.lake, now=turn.now)
        export_decisions(shop.folder, shop.lake, shop.state)
        settle_clicks(shop.state, shop.lake, now=turn.now)
        settle_answers(shop.state, shop.lake, now=turn.now)
        adopt_consents.run(shop.bound(adopt_consents, turn.number), shop.state, turn)
        adopt_contact_facts.run(shop.bound(adopt_contact_facts, turn.number), shop.state)
        zone = shop.settings.retailer.zone
        adopt_offers.run(shop.bound(adopt_offers, turn.number), shop.state, turn, zone=zone)
        keep_points(shop, turn)
        for step in (*LOOK, *LEARN, *(ACT if contact else ())):
            with journaled(shop.state, shop.lake, step, turn) as missing:
                if missing:
                    progress(step.name)
                    missing.append(call(shop, step, turn))
        if is_trial(turn):
            try_models(shop, turn)
        done = "closed" if contact else "looked"
        end_turn(shop.state, turn, status=done, folder=shop.folder)
    return TurnReport(turn, rows_by_step(shop.state, turn.number), status == "closed" or contact)
