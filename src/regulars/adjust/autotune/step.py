"""The step that turns what was measured into what the next turn believes and may spend."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
from ibis import _

from regulars.adjust.autotune.carry_over import (
    LAGS,
    carried,
    learn_carry_over,
    starting_carry_over,
)
from regulars.adjust.autotune.evidence import (
    Decided,
    decided_arrays,
    evidence,
    without_contacts,
)
from regulars.adjust.autotune.learning import learn, predicted_effect, residuals
from regulars.adjust.autotune.readouts import pooled_readouts
from regulars.adjust.autotune.spend_share import calibration, spend_share
from regulars.adjust.autotune.tables import decided, opt_outs, outcomes, readouts
from regulars.decide.offers import Arm, arms_on
from regulars.decide.policies.economics import OPT_OUT_BUCKETS
from regulars.decide.policies.tables import latest
from regulars.decide.uplift.effects import (
    arm_coefficients,
    belief_from_rows,
    belief_to_rows,
    extended,
    starting_belief,
)
from regulars.numerics.linear_belief import LinearBelief
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.settings import Loop

_OPT_OUT_PRIOR = (1.0, 500.0)


@dataclass
class _Knowledge:
    """What is known when a turn starts to learn, changed as it learns."""

    belief: LinearBelief
    carry: LinearBelief
    values: dict[str, float]
    weights: dict[str, float] = field(default_factory=dict)


@step(
    reads="decisions profiles orders redemptions offers contacts contact_outcomes effects "
    "uplift_priors parameters",
    writes="uplift_priors parameters adjustments",
)
def autotune(
    engine: Engine, turn: Turn, *, loop: Loop, channel_costs: Mapping[str, Decimal]
) -> int:
    """Learn from every turn whose window has closed since the last time.

    Args:
        engine: The engine bound to this step.
        turn: The turn about to decide.
        loop: Windows and holdouts.
        channel_costs: Cost of one contact by channel.

    Returns:
        Changes written to table `adjustments`.
    """
    arms = arms_on(
        engine.rows(engine.table("offers").order_by("offer_id")),
        channel_costs,
        day=turn.now.date(),
    )
    known = _known(engine, arms, turn.number)
    before = dict(known.values) | _arm_effects(known.belief, arms)
    slopes = _learn_new_turns(engine, turn, known, arms, loop)
    if slopes or not known.values:
        _tune(engine, known, loop)
    changes = _changes(before, dict(known.values) | _arm_effects(known.belief, arms), slopes)
    _write(engine, known, changes)
    return len(changes)


def _known(engine: Engine, arms: list[Arm], turn: int) -> _Knowledge:
    earlier = latest(engine.table("uplift_priors"), turn - 1)
    rows = engine.rows(earlier.order_by("position"))
    belief = [row for row in rows if row["position"] >= 0]
    carry = [row for row in rows if row["position"] < 0]
    tuned = engine.rows(latest(engine.table("parameters"), turn - 1).order_by("name"))
    return _Knowledge(
        extended(belief_from_rows(belief), arms) if belief else starting_belief(arms),
        belief_from_rows(carry) if carry else starting_carry_over(),
        {row["name"]: row["value"] for row in tuned},
        {row["name"]: row["weight"] for row in tuned},
    )


def _learn_new_turns(
    engine: Engine, turn: Turn, known: _Knowledge, arms: list[Arm], loop: Loop
) -> dict[int, dict[str, Any]]:
    """Learn turn by turn; what each said, by the turn measured."""
    said: dict[int, dict[str, Any]] = {}
    first = int(known.values.get("learned_turn", 0)) + 1
    dates = {
        row["turn"]: row["as_of"]
        for row in engine.rows(
            engine
            .table("profiles")
            .filter(_.turn < turn.number)
            .group_by("turn")
            .agg(as_of=_.as_of.max())
        )
    }
    decisions = {}
    for measured in range(first, turn.number):
        if measured not in dates or (turn.as_of - dates[measured]).days < loop.window_days:
            continue
        for earlier in range(max(1, measured - max(LAGS)), measured + 1):
            if earlier not in decisions:
                decisions[earlier] = _decided(engine, earlier, arms, loop)
        happened = _outcomes(engine, dates[measured], loop)
        said[measured] = _learn_one(known, arms, decisions, measured, happened)
        _count_opt_outs(engine, known, measured)
        known.values["learned_turn"] = float(measured)
    return said


def _decided(engine: Engine, turn: int, arms: list[Arm], loop: Loop) -> Decided:
    rows = engine.arrow(decided(engine.table("decisions"), engine.table("profiles"), turn))
    return decided_arrays(
        rows, arms, window_days=loop.window_days, campaign_holdout=loop.campaign_holdout
    )


def _outcomes(engine: Engine, as_of: date, loop: Loop) -> pa.Table:
    return engine.arrow(
        outcomes(
            engine.table("orders"),
            engine.table("redemptions"),
            engine.table("offers"),
            as_of=as_of,
            window_days=loop.window_days,
        )
    )


def _learn_one(
    known: _Knowledge,
    arms: list[Arm],
    decisions: Mapping[int, Decided],
    measured: int,
    happened: pa.Table,
) -> dict[str, Any]:
    own = evidence(decisions[measured], happened)
    if len(own.outcome) == 0 or not arms:
        return {"customers": 0}
    had_data = bool(known.belief.precision.any())
    lesson = learn(known.belief, arms, own)
    known.belief = lesson.belief
    if had_data:
        known.values[f"slope.{measured:03d}"] = lesson.slope
        known.weights[f"slope.{measured:03d}"] = lesson.slope_sd**-2
    per_arm = arm_coefficients(known.belief.terms, arms, known.belief.posterior()[0])
    for lag in LAGS:
        if measured - lag in decisions and len(decisions[measured - lag].worth):
            earlier = decisions[measured - lag]
            past = without_contacts(
                earlier, evidence(earlier, happened), decisions[measured], per_arm
            )
            known.carry = learn_carry_over(
                known.carry,
                lag,
                contacted=past.contrast.sum(axis=1),
                predicted=predicted_effect(known.belief, arms, past),
                later=residuals(past),
            )
    return {
        "customers": len(own.outcome),
        "slope": round(lesson.slope, 4),
        "slope_sd": round(lesson.slope_sd, 4) if lesson.slope_sd < 1e6 else None,
        "shifted": lesson.shifted,
    }


def _count_opt_outs(engine: Engine, known: _Knowledge, measured: int) -> None:
    rows = engine.rows(
        opt_outs(
            engine.table("contacts"),
            engine.table("profiles"),
            engine.table("contact_outcomes"),
            measured,
            OPT_OUT_BUCKETS,
        )
    )
    for row in rows:
        name = f"opt_out.{row['channel']}.{row['bucket']}"
        seen = known.weights.get(name, sum(_OPT_OUT_PRIOR))
        rate = known.values.get(name, _OPT_OUT_PRIOR[0] / sum(_OPT_OUT_PRIOR))
        total = seen + row["contacts"]
        known.values[name] = (rate * seen + row["opt_outs"]) / total
        known.weights[name] = total


def _tune(engine: Engine, known: _Knowledge, loop: Loop) -> None:
    after_contact, after_effect = carried(known.carry)
    slopes = [
        (value, known.weights[name] ** -0.5)
        for name, value in sorted(known.values.items())
        if name.startswith("slope.") and known.weights.get(name, 0) > 0
    ]
    found = pooled_readouts(engine.rows(readouts(engine.table("effects"))))
    share, z = spend_share(slopes, found)
    known.values |= {
        "after_contact": after_contact,
        "after_effect": after_effect,
        "calibration": calibration(slopes[-4:]),
        "spend_share": share,
    }
    if not math.isnan(z):
        known.values["slope_z"] = z


def _arm_effects(belief: LinearBelief, arms: list[Arm]) -> dict[str, float]:
    """The believed effect of each arm on an average customer, in orders."""
    if not arms:
        return {}
    middle = arm_coefficients(belief.terms, arms, belief.posterior()[0])[:, 0]
    return {f"effect.{arm.name}": float(e) for arm, e in zip(arms, middle, strict=True)}


def _changes(
    before: Mapping[str, float], after: Mapping[str, float], said: Mapping[int, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    evidence_text = json.dumps({"measured_turns": said}, sort_keys=True)
    return [
        {
            "subject": name,
            "before": before.get(name),
            "after": after[name],
            "evidence": evidence_text,
        }
        for name in sorted(after)
        if before.get(name) != after[name] and not name.startswith(("slope.", "learned_turn"))
    ]


def _write(engine: Engine, known: _Knowledge, changes: list[dict[str, Any]]) -> None:
    rows = belief_to_rows(known.carry, first=-len(known.carry.terms))
    engine.write("uplift_priors", pa.Table.from_pylist(rows + belief_to_rows(known.belief)))
    engine.write(
        "parameters",
        pa.table({
            "name": pa.array(sorted(known.values), pa.string()),
            "value": pa.array([known.values[n] for n in sorted(known.values)], pa.float64()),
            "weight": pa.array(
                [known.weights.get(n, 0.0) for n in sorted(known.values)], pa.float64()
            ),
        }),
    )
    kinds = {
        "subject": pa.string(),
        "before": pa.float64(),
        "after": pa.float64(),
        "evidence": pa.string(),
    }
    engine.write("adjustments", pa.Table.from_pylist(changes, schema=pa.schema(kinds.items())))
