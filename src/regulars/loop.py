"""One turn of the loop, read top to bottom.

Look: who are our customers and what are they worth. Learn: what did earlier contacts cause,
and what follows from it. Act: decide for everybody, reach those chosen. Facts come in before
the turn (`regulars collect import`), contacts go out at its end; feedback travels through
tables only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from regulars.adjust.alerts.holding import Guardrails
from regulars.adjust.alerts.service import words_of
from regulars.adjust.alerts.step import watch_channels
from regulars.adjust.autotune.step import autotune
from regulars.collect.anomalies.step import score_actors
from regulars.decide.offers.keeping.service import offers_in_force
from regulars.decide.offers.keeping.step import adopt_offers
from regulars.decide.online.service import export_decisions
from regulars.decide.policies.step import decide
from regulars.govern.consent.service import profiling_refused
from regulars.govern.consent.step import adopt_consents
from regulars.journal import alone, begin_turn, end_turn, journaled, rows_by_step
from regulars.measure.cells.step import measure_cells
from regulars.measure.effects.step import measure_effects
from regulars.measure.effects.written.step import measure_campaigns
from regulars.ports.channels import Channel
from regulars.ports.engine import Engine
from regulars.ports.lake import Lake
from regulars.ports.state import State
from regulars.ports.steps import Step
from regulars.reach.delivery import pace_of
from regulars.reach.delivery.accounts.service import campaign_cost
from regulars.reach.delivery.service import snapshot_audience
from regulars.reach.delivery.step import deliver
from regulars.reach.links.clicks.service import settle_clicks
from regulars.reach.loyalty.badges.step import give_badges
from regulars.reach.loyalty.earning.step import earn_points
from regulars.reach.loyalty.referrals.step import pay_referrals
from regulars.reach.loyalty.tiers.step import review_tiers
from regulars.reach.receipts.exporting.service import export_outcomes
from regulars.reach.standing import Standing, contactable
from regulars.reach.standing.facts.step import adopt_contact_facts
from regulars.reach.standing.gate import Gate, quotas_of
from regulars.reach.surveys.service import settle_answers
from regulars.records import Turn
from regulars.settings import Settings
from regulars.understand.churn.step import score_churn
from regulars.understand.segments.step import score_segments
from regulars.understand.value.step import score_values
from regulars.unify.identity.service import aliases
from regulars.unify.profiles.step import build_profiles
from regulars.unify.tags.service import all_marks, list_tags
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
)
ACT: tuple[Step, ...] = (decide, deliver)


class Shop(Protocol):
    """What a turn needs of an open workspace; `app.App` is one."""

    @property
    def folder(self) -> Path:
        """The workspace folder."""

    @property
    def settings(self) -> Settings:
        """What `regulars.toml` says."""

    @property
    def state(self) -> State:
        """The transactional store."""

    @property
    def lake(self) -> Lake:
        """The tables."""

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channel adapters by channel."""

    def bound(self, step: Step, turn: int, /) -> Engine:
        """The engine as one step of one turn may use it."""


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
        export_decisions(shop.folder, shop.lake)
        settle_clicks(shop.state, shop.lake, now=turn.now)
        settle_answers(shop.state, shop.lake, now=turn.now)
        adopt_consents.run(shop.bound(adopt_consents, turn.number), shop.state, turn)
        adopt_contact_facts.run(shop.bound(adopt_contact_facts, turn.number), shop.state)
        zone = shop.settings.retailer.zone
        adopt_offers.run(shop.bound(adopt_offers, turn.number), shop.state, turn, zone=zone)
        _keep_points(shop, turn)
        for step in (*LOOK, *LEARN, *(ACT if contact else ())):
            with journaled(shop.state, shop.lake, step, turn) as missing:
                if missing:
                    progress(step.name)
                    missing.append(_run(shop, step, turn))
        done = "closed" if contact else "looked"
        end_turn(shop.state, turn, status=done, folder=shop.folder)
    return TurnReport(turn, rows_by_step(shop.state, turn.number), status == "closed" or contact)


def _run(shop: Shop, step: Step, turn: Turn) -> int:
    """Call one step with what it takes, and nothing more."""
    engine, settings, state = shop.bound(step, turn.number), shop.settings, shop.state
    costs = {name: channel.cost for name, channel in settings.channels.items()}
    loop, zone, policy = settings.loop, settings.retailer.zone, settings.policy
    kept = offers_in_force(state, at=turn.now)
    calls: dict[Step, Callable[[], int]] = {
        score_actors: lambda: score_actors.run(
            engine, turn, turn_days=loop.turn_days, aliases=aliases(state)
        ),
        build_profiles: lambda: build_profiles.run(
            engine, turn, zone=zone, margin_rate=loop.margin_rate, aliases=aliases(state)
        ),
        tag_customers: lambda: tag_customers.run(
            engine,
            turn,
            tags=list_tags(state),
            marks=all_marks(state, zone=zone, aliases=aliases(state)),
            aliases=aliases(state),
        ),
        score_segments: lambda: score_segments.run(engine, turn),
        score_values: lambda: score_values.run(engine, turn),
        score_churn: lambda: score_churn.run(engine, turn),
        **_measuring(shop, engine, turn),
        watch_channels: lambda: watch_channels.run(
            engine,
            turn,
            channels=tuple(settings.channels),
            words=words_of(state),
            rails=Guardrails(*astuple(settings.adjust)),
        ),
        autotune: lambda: autotune.run(
            engine, turn, loop=loop, channel_costs=costs, catalogue=kept
        ),
        decide: lambda: decide.run(
            engine,
            turn,
            loop=loop,
            channel_costs=costs,
            standing_of=lambda customers: _standing(shop, turn, customers),
            profiling_refused=profiling_refused(state),
            catalogue=kept,
        ),
        deliver: lambda: deliver.run(
            engine,
            turn,
            state=state,
            channels=shop.channels,
            gate=Gate(policy, zone=zone, quotas=quotas_of(settings, now=turn.now)),
            channel_costs=costs,
            pace=pace_of(settings, senders=settings.compute.workers),
        ),
    }
    return calls[step]()


def _measuring(shop: Shop, engine: Engine, turn: Turn) -> dict[Step, Callable[[], int]]:
    """How the steps that measure are called."""
    loop, state = shop.settings.loop, shop.state
    return {
        measure_effects: lambda: measure_effects.run(
            engine,
            turn,
            level=loop.level,
            window_days=loop.window_days,
            margin_rate=loop.margin_rate,
            global_holdout=loop.global_holdout,
            campaign_holdout=loop.campaign_holdout,
        ),
        measure_campaigns: lambda: measure_campaigns.run(
            engine,
            turn,
            level=loop.level,
            margin_rate=loop.margin_rate,
            cost_of=lambda campaign: campaign_cost(state, campaign),
        ),
        measure_cells: lambda: measure_cells.run(
            engine,
            turn,
            window_days=loop.window_days,
            margin_rate=loop.margin_rate,
            campaign_holdout=loop.campaign_holdout,
        ),
    }


def _keep_points(shop: Shop, turn: Turn) -> None:
    """Let orders earn points, tiers and badges; each does by itself nothing twice."""
    state, known, zone = shop.state, aliases(shop.state), shop.settings.retailer.zone
    place = {"as_of": turn.as_of, "now": turn.now, "zone": zone}
    earn_points.run(shop.bound(earn_points, turn.number), state, **place)
    pay_referrals.run(shop.bound(pay_referrals, turn.number), state, **place, aliases=known)
    give_badges.run(shop.bound(give_badges, turn.number), state, **place, aliases=known)
    review_tiers.run(shop.bound(review_tiers, turn.number), state, as_of=turn.as_of, aliases=known)


def _standing(shop: Shop, turn: Turn, customers: Sequence[str]) -> Standing:
    """Count the audience, before anything is decided, and ask the rules of contact about it."""
    settings = shop.settings
    snapshot_audience(shop.state, turn.number, len(customers))
    return contactable(
        shop.state,
        turn,
        customers,
        channels=tuple(settings.channels),
        policy=settings.policy,
        zone=settings.retailer.zone,
        quotas=quotas_of(settings, now=turn.now),
    )


def dispatch_moment(as_of: date, settings: Settings) -> datetime:
    """Say when the contacts of a turn go out.

    Returns:
        The day after `as_of` at the settings' local hour, in UTC.

    Example:
        >>> dispatch_moment(date(2026, 3, 1), Settings()).isoformat()
        '2026-03-02T02:00:00+00:00'
    """
    local = datetime.combine(
        as_of + timedelta(days=1),
        time(settings.policy.dispatch_hour),
        ZoneInfo(settings.retailer.zone),
    )
    return local.astimezone(UTC)
