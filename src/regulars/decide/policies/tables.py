"""Tables the decision reads and the rows it writes."""

import json
from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _
from ibis.expr.types import Table as Definition

from regulars.decide.eligibility import Eligibility
from regulars.decide.offers import Arm
from regulars.decide.policies.choosing import Choice, campaign_of
from regulars.decide.policies.sampling import Policy
from regulars.decide.uplift.features import FEATURES
from regulars.numerics.arrays import numbers

POLICY_VERSION = "posterior-sampling-2"
"""Changes when the policy would decide otherwise on the same input."""
_NOT_TRAITS = frozenset({"turn", "customer_id", "as_of"})
PLAIN = "/plain"
"""Ends the model version of a decision made without the customer's features."""


def audience(profiles: Definition, customer_values: Definition, turn: int) -> Definition:
    """Everybody known in a turn, with profile and value.

    Returns:
        One row per customer, by customer_id.
    """
    values = customer_values.filter(_.turn == turn).select("customer_id", "residual_value")
    return (
        profiles
        .filter(_.turn == turn)
        .left_join(values, "customer_id")
        .drop("customer_id_right")
        .order_by("customer_id")
    )


def shares_held_out(decisions: Definition, *, before_kept: float) -> Definition:
    """Give the share of its campaigns' chosen that each turn held out.

    Args:
        decisions: Table `decisions`.
        before_kept: Share of the turns that did not keep theirs.

    Returns:
        One row per turn that decided, by turn: turn, share.
    """
    share = _.held_out_share.max().coalesce(before_kept)
    return decisions.group_by("turn").agg(share=share).order_by("turn")


def latest(table: Definition, turn: int) -> Definition:
    """The rows an earlier step wrote last, up to a turn."""
    past = table.filter(_.turn <= turn)
    return past.filter(_.turn == past.turn.max())


def decision_rows(
    customer_ids: Sequence[str],
    arms: Sequence[Arm],
    policy: Policy,
    eligible: Eligibility,
    choice: Choice,
    *,
    customers: np.ndarray,
    worth: np.ndarray,
    turn: int,
) -> pa.Table:
    """Write the decision log: one row per customer, chosen or not.

    Args:
        customer_ids: Who, in order.
        arms: The actions, in order.
        policy: Probabilities, values and effects of the actions.
        eligible: What was open to whom.
        choice: What was decided.
        customers: Features the policy saw, shape (customers, features).
        worth: Margin of one order, shape (customers,).
        turn: Number of the turn.

    Returns:
        The rows of table `decisions` but for the turn.
    """
    chosen, row = choice.arm, np.arange(len(customer_ids))
    taken = chosen >= 0
    sends = choice.verdict == "send"
    offer = [arms[a].offer_id if a >= 0 else None for a in chosen]
    effect = np.where(taken, policy.effects[row, chosen] if arms else 0.0, 0.0)
    value = np.where(taken, policy.values[row, chosen] if arms else 0.0, 0.0)
    cost = np.array([float(a.cost) for a in arms] + [0.0])
    return pa.table({
        "customer_id": list(customer_ids),
        "verdict": choice.verdict.tolist(),
        "reason": choice.reason.tolist(),
        "campaign_id": [campaign_of(o, turn) if o else None for o in offer],
        "offer_id": offer,
        "channel": [arms[a].channel if a >= 0 else None for a in chosen],
        "propensity": choice.propensity,
        "send_propensity": choice.send_propensity,
        "candidates": _candidates(arms, policy, choice),
        "verdicts": _ruled_out(arms, eligible),
        "features": _features(customers),
        "expected_orders": effect,
        "expected_margin": effect * worth,
        "value": value,
        "cost": np.where(sends, cost[chosen], 0.0),
        "is_global_holdout": (choice.reason == "global_holdout").tolist(),
        "is_campaign_holdout": choice.in_campaign_holdout.tolist(),
        "shadow_price": np.full(len(row), policy.shadow_price),
        "policy_version": [POLICY_VERSION] * len(row),
        "model_version": [f"uplift-{turn:03d}"] * len(row),
        "held_out_share": np.full(len(row), choice.held_out_share),
    })


def without_traits(
    people: pa.Table, plain: Collection[str], *, margin_rate: float
) -> tuple[pa.Table, np.ndarray]:
    """Forget, of customers who let no feature be used, everything a decision could look at.

    Args:
        people: Rows of `audience`.
        plain: Customers who let no feature be used.
        margin_rate: Margin over sales where nobody else's is known, 0 to 1.

    Returns:
        The rows, with nothing but the mean margin rate of the others where they stand, and
        True for those customers, shape (customers,).
    """
    known = frozenset(plain)
    is_plain = np.array([one in known for one in people["customer_id"].to_pylist()], dtype=bool)
    if not is_plain.any():
        return people, is_plain
    others = numbers(people, "margin_rate")[~is_plain]
    middle = float(others.mean()) if others.size else margin_rate
    columns = {}
    for name in people.column_names:
        column = people[name]
        if name == "margin_rate":
            column = pa.chunked_array([np.where(is_plain, middle, numbers(people, name))])
        elif name not in _NOT_TRAITS:
            column = pc.if_else(pa.array(is_plain), pa.scalar(None, column.type), column)
        columns[name] = column
    return pa.table(columns), is_plain


def mark_plain(rows: pa.Table, plain: Collection[str]) -> pa.Table:
    """Mark the decisions that rest on nothing known of the customer.

    Args:
        rows: What `decision_rows` gave.
        plain: Customers who let no feature be used.

    Returns:
        The rows; the model version of those ends with `PLAIN`.
    """
    place, known = rows.column_names.index("model_version"), frozenset(plain)
    said = zip(rows["customer_id"].to_pylist(), rows["model_version"].to_pylist(), strict=True)
    versions = [version + PLAIN if who in known else version for who, version in said]
    return rows.set_column(place, "model_version", pa.array(versions, pa.string()))


def _candidates(arms: Sequence[Arm], policy: Policy, choice: Choice) -> list[str]:
    """As JSON, by offer:channel: [value, probability before holdouts]."""
    names = [arm.name for arm in arms]
    values, probabilities = np.round(policy.values, 4), np.round(choice.probabilities, 6)
    return [
        "{"
        + ",".join(
            f'"{name}":[{value:.4f},{probability:.6f}]'
            for name, value, probability in zip(names, value_row, probability_row, strict=True)
            if probability > 0
        )
        + "}"
        for value_row, probability_row in zip(values.tolist(), probabilities.tolist(), strict=True)
    ]


def _ruled_out(arms: Sequence[Arm], eligible: Eligibility) -> list[str]:
    """As JSON, by reason code: the actions ruled out; written once per pattern."""
    codes = sorted(eligible.ruled_out)
    if not arms or not codes:
        return ["{}"] * len(eligible.reason)
    pattern = np.concatenate([eligible.ruled_out[code] for code in codes], axis=1)
    unique, place = np.unique(pattern, axis=0, return_inverse=True)
    texts = []
    for row in unique.reshape(len(unique), len(codes), -1):
        said = {
            code: [arm.name for arm, out in zip(arms, flags, strict=True) if out]
            for code, flags in zip(codes, row, strict=True)
        }
        texts.append(json.dumps({code: names for code, names in said.items() if names}))
    return [texts[i] for i in place.reshape(-1)]


def _features(customers: np.ndarray) -> list[str]:
    names = FEATURES[1:]
    template = "{" + ",".join(f'"{name}":%.4f' for name in names) + "}"
    return [template % tuple(row) for row in customers[:, 1:].tolist()]
