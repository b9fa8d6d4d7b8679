"""The step that turns what was measured into what the next turn believes and may spend."""

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
from ibis import _

from regulars.adjust.autotune.carry_over import LAGS
from regulars.adjust.autotune.evidence import Decided, decided_arrays, evidence
from regulars.adjust.autotune.knowledge import Knowledge, changes
from regulars.adjust.autotune.readouts import pooled_readouts
from regulars.adjust.autotune.recipes import learning, served, try_response
from regulars.adjust.autotune.tables import decided, opt_outs, outcomes, readouts
from regulars.decide.offers import Arm, arms_on
from regulars.decide.offers.keeping.service import Kept, catalogue_rows
from regulars.decide.policies.economics import OPT_OUT_BUCKETS
from regulars.decide.policies.tables import latest, shares_held_out
from regulars.numerics.days import day_number
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.settings import Loop
from regulars.understand.champions.family import Family
from regulars.understand.champions.serving import Serving, default_serving
from regulars.understand.champions.verdict import Trial

Keep = Callable[[Sequence[Trial]], object]
"""Puts down what was tried."""

_CHANGE = pa.schema([
    ("subject", pa.string()),
    ("before", pa.float64()),
    ("after", pa.float64()),
    ("evidence", pa.string()),
])


@step(
    reads="decisions profiles orders redemptions offers contacts contact_outcomes effects "
    "uplift_priors parameters marked_customers marked_orders",
    writes="uplift_priors parameters adjustments",
)
def autotune(
    engine: Engine,
    turn: Turn,
    *,
    loop: Loop,
    channel_costs: Mapping[str, Decimal],
    catalogue: Sequence[Kept] = (),
    unlearned: Set[int] = frozenset(),
    serves: Serving | None = None,
    keep: Keep | None = None,
) -> int:
    """Learn from every turn whose window has closed since the last time.

    Args:
        engine: The engine bound to this step.
        turn: The turn about to decide.
        loop: Windows and holdouts.
        channel_costs: Cost of one contact by channel.
        catalogue: Versions of offers in force, which hold instead of what was imported.
        unlearned: Turns nothing is to be learned from. When others were left out before, all is
            learned anew, as if these had never been measured.
        serves: Recipe of the response model the turn decides by; the default when left out.
        keep: Puts down, once, how the recipes did on the newest measured turn; none compares
            nothing, nor is anything compared when all is learned anew: old turns had their trial.

    Returns:
        Changes written to table `adjustments`.
    """
    offers = catalogue_rows(engine.rows(engine.table("offers")), catalogue)
    arms = arms_on(offers, channel_costs, day=None)
    known = Knowledge.from_rows(
        engine.rows(latest(engine.table("uplift_priors"), turn.number - 1).order_by("position")),
        engine.rows(latest(engine.table("parameters"), turn.number - 1).order_by("name")),
        arms,
    )
    recipe = (serves or default_serving(Family.RESPONSE)).champion
    before = known.said(arms)
    is_anew = known.left_out != unlearned
    if is_anew:
        known = known.from_the_start(arms, left_out=unlearned)
    known.belief = learning(known.belief)
    tried: list[Trial] | None = None if keep is None or is_anew else []
    said = _learn(engine, turn, known, arms, loop, _judge(turn, loop, recipe, tried))
    if keep is not None and tried:
        keep(tried)
    known.belief = served(known.belief, recipe)
    if said or is_anew or not known.values:
        rows = engine.rows(readouts(engine.table("effects")))
        counted = [row for row in rows if row["measured_turn"] not in unlearned]
        known.tune(pooled_readouts(counted))
    changed = changes(before, known.said(arms), said, left_out=unlearned if is_anew else None)
    engine.write("uplift_priors", pa.Table.from_pylist(known.prior_rows()))
    engine.write("parameters", pa.Table.from_pylist(known.parameter_rows()))
    return engine.write("adjustments", pa.Table.from_pylist(changed, schema=_CHANGE))


Judge = Callable[[Knowledge, Sequence[Arm], Decided, pa.Table, date], None]


def _judge(turn: Turn, loop: Loop, recipe: str, tried: list[Trial] | None) -> Judge:
    """Compare the recipes on a turn before it is learned from; only the newest one stays tried."""

    def judge(
        known: Knowledge, arms: Sequence[Arm], own: Decided, happened: pa.Table, as_of: date
    ) -> None:
        if tried is not None and arms:
            first = day_number(as_of)
            window = (first, first + loop.window_days)
            found = evidence(own, happened)
            tried[:] = try_response(
                known.belief, arms, found, recipe, window=window, seed=turn.seed
            )

    return judge


def _learn(
    engine: Engine,
    turn: Turn,
    known: Knowledge,
    arms: Sequence[Arm],
    loop: Loop,
    judge: Judge,
) -> dict[int, dict[str, Any]]:
    """Learn turn by turn; what each said, by the turn measured."""
    said: dict[int, dict[str, Any]] = {}
    past = engine.table("profiles").filter(_.turn < turn.number)
    rows = engine.rows(past.group_by("turn").agg(as_of=_.as_of.max()).order_by("turn"))
    decisions: dict[int, Decided] = {}
    for measured, as_of in ((row["turn"], row["as_of"]) for row in rows):
        is_closed = (turn.as_of - as_of).days >= loop.window_days
        if measured <= known.values.get("learned_turn", 0) or not is_closed:
            continue
        if measured in known.left_out:
            known.values["learned_turn"] = float(measured)
            continue
        for earlier in range(max(1, measured - max(LAGS)), measured + 1):
            if earlier not in decisions:
                decisions[earlier] = _decided(engine, earlier, arms, loop)
        happened = _outcomes(engine, as_of, loop)
        judge(known, arms, decisions[measured], happened, as_of)
        said[measured] = known.learn_turn(arms, decisions, measured, happened)
        known.count_opt_outs(_opt_outs(engine, measured))
    return said


def _decided(engine: Engine, turn: int, arms: Sequence[Arm], loop: Loop) -> Decided:
    decisions, profiles = engine.table("decisions"), engine.table("profiles")
    rows = engine.arrow(decided(decisions, profiles, engine.table("marked_customers"), turn))
    kept = shares_held_out(decisions, before_kept=loop.campaign_holdout)
    share = {row["turn"]: row["share"] for row in engine.rows(kept)}.get(turn, 0.0)
    return decided_arrays(rows, arms, window_days=loop.window_days, campaign_holdout=share)


def _outcomes(engine: Engine, as_of: date, loop: Loop) -> pa.Table:
    return engine.arrow(
        outcomes(
            engine.table("orders"),
            engine.table("redemptions"),
            engine.table("offers"),
            engine.table("marked_orders"),
            as_of=as_of,
            window_days=loop.window_days,
        )
    )


def _opt_outs(engine: Engine, measured: int) -> list[dict[str, Any]]:
    return engine.rows(
        opt_outs(
            engine.table("contacts"),
            engine.table("profiles"),
            engine.table("contact_outcomes"),
            measured,
            OPT_OUT_BUCKETS,
        )
    )
