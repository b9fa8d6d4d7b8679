"""How each step is called: with what it takes of a workspace, and nothing more."""

from collections.abc import Callable, Sequence
from dataclasses import astuple
from decimal import Decimal

from regulars.adjust.alerts.holding import Guardrails
from regulars.adjust.alerts.service import ask_people, words_of
from regulars.adjust.alerts.step import watch_channels
from regulars.adjust.autotune.service import unlearned
from regulars.adjust.autotune.step import autotune
from regulars.adjust.budgeting.step import plan_money
from regulars.collect.anomalies.step import score_actors
from regulars.decide.budget.obeying.service import followed, limits_of_people
from regulars.decide.offers.keeping.service import offers_in_force
from regulars.decide.policies.step import decide
from regulars.govern.consent.service import profiling_refused
from regulars.loop.shop import Shop
from regulars.loop.trying import keep_of, serves
from regulars.measure.cells.step import measure_cells
from regulars.measure.effects.step import measure_effects
from regulars.measure.effects.written.step import measure_campaigns
from regulars.ports.engine import Engine
from regulars.ports.steps import Step
from regulars.reach.delivery import pace_of
from regulars.reach.delivery.accounts.service import campaign_cost
from regulars.reach.delivery.service import snapshot_audience
from regulars.reach.delivery.step import deliver
from regulars.reach.loyalty.badges.step import give_badges
from regulars.reach.loyalty.earning.step import earn_points
from regulars.reach.loyalty.referrals.step import pay_referrals
from regulars.reach.loyalty.tiers.step import review_tiers
from regulars.reach.standing import Standing, contactable
from regulars.reach.standing.gate import gate_of, quotas_of
from regulars.records import Turn
from regulars.understand.champions.family import Family
from regulars.understand.churn.step import score_churn
from regulars.understand.segments.step import score_segments
from regulars.understand.value.step import score_values
from regulars.unify.identity.service import aliases
from regulars.unify.profiles.step import build_profiles
from regulars.unify.tags.service import all_marks, list_tags
from regulars.unify.tags.step import tag_customers

Calls = dict[Step, Callable[[], int]]


def call(shop: Shop, step: Step, turn: Turn) -> int:
    """Call one step with what it takes, and nothing more.

    Args:
        shop: The open workspace.
        step: The step.
        turn: The turn.

    Returns:
        Rows written.
    """
    engine = shop.bound(step, turn.number)
    parts = (_looking, _measuring, _adjusting, _acting)
    calls = {one: run for part in parts for one, run in part(shop, engine, turn).items()}
    return calls[step]()


def keep_points(shop: Shop, turn: Turn) -> None:
    """Let orders earn points, tiers and badges; each does by itself nothing twice.

    Args:
        shop: The open workspace.
        turn: The turn.
    """
    state, known, zone = shop.state, aliases(shop.state), shop.settings.retailer.zone
    place = {"as_of": turn.as_of, "now": turn.now, "zone": zone}
    earn_points.run(shop.bound(earn_points, turn.number), state, **place)
    pay_referrals.run(shop.bound(pay_referrals, turn.number), state, **place, aliases=known)
    give_badges.run(shop.bound(give_badges, turn.number), state, **place, aliases=known)
    review_tiers.run(shop.bound(review_tiers, turn.number), state, as_of=turn.as_of, aliases=known)


def _looking(shop: Shop, engine: Engine, turn: Turn) -> Calls:
    """How the steps that look are called."""
    loop, zone, state = shop.settings.loop, shop.settings.retailer.zone, shop.state
    return {
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
        score_values: lambda: score_values.run(engine, turn, serves=serves(shop, turn)),
        score_churn: lambda: score_churn.run(engine, turn, serves=serves(shop, turn)[Family.CHURN]),
    }


def _measuring(shop: Shop, engine: Engine, turn: Turn) -> Calls:
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


def _adjusting(shop: Shop, engine: Engine, turn: Turn) -> Calls:
    """How the steps that adjust are called."""
    loop, settings, state = shop.settings.loop, shop.settings, shop.state
    kept = offers_in_force(state, at=turn.now)
    left_out = frozenset(one.turn for one in unlearned(state))
    return {
        watch_channels: lambda: watch_channels.run(
            engine,
            turn,
            channels=tuple(settings.channels),
            words=words_of(state),
            rails=Guardrails(*astuple(settings.adjust)),
            ask=lambda alerts: ask_people(state, alerts, now=turn.now),
            unlearned=left_out,
        ),
        autotune: lambda: autotune.run(
            engine,
            turn,
            loop=loop,
            channel_costs=_costs(shop),
            catalogue=kept,
            unlearned=left_out,
            serves=serves(shop, turn)[Family.RESPONSE],
            keep=keep_of(shop, turn),
        ),
        plan_money: lambda: plan_money.run(
            engine,
            turn,
            loop=loop,
            channel_costs=_costs(shop),
            catalogue=kept,
            following=followed(state, now=turn.now),
            limits=limits_of_people(state, now=turn.now),
            unlearned=left_out,
        ),
    }


def _acting(shop: Shop, engine: Engine, turn: Turn) -> Calls:
    """How the steps that act are called."""
    settings, state = shop.settings, shop.state
    loop = settings.loop
    return {
        decide: lambda: decide.run(
            engine,
            turn,
            loop=loop,
            channel_costs=_costs(shop),
            standing_of=lambda customers: _standing(shop, turn, customers),
            profiling_refused=profiling_refused(state),
            catalogue=offers_in_force(state, at=turn.now),
        ),
        deliver: lambda: deliver.run(
            engine,
            turn,
            state=state,
            channels=shop.channels,
            gate=gate_of(settings, now=turn.now),
            channel_costs=_costs(shop),
            pace=pace_of(settings, senders=settings.compute.workers),
        ),
    }


def _costs(shop: Shop) -> dict[str, Decimal]:
    return {name: channel.cost for name, channel in shop.settings.channels.items()}


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
