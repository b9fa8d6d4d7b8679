"""Measured comparisons as rows of effects, programme_effects and predictions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.measure.effects.confidence_sequence import sequence_radius
from regulars.measure.effects.customers import Compared, of_campaigns, only
from regulars.measure.effects.readout import Readout, read_out
from regulars.numerics.arrays import numbers, words
from regulars.numerics.hashing import key_of
from regulars.records import TABLES

ALL = "*"
"""Campaign id that stands for all campaigns of a turn together."""

CLAIM_LEVEL = 0.95
"""Coverage, over all turns together, of the interval a claim rests on."""

TUNED_AT = 12
"""Turns after which the claim's interval is tightest: a quarter of weekly turns."""


@dataclass(frozen=True)
class Design:
    """How a comparison was designed and is to be read.

    Attributes:
        held_out: Share of customers held out, in (0, 1).
        level: Coverage of the intervals, in (0, 1).
        window_days: Days of outcome counted.
        seed: Root of the random deals behind the intervals.
    """

    held_out: float
    level: float
    window_days: int
    seed: int


def campaign_rows(
    rows: pa.Table, customers: Compared, measured_turn: int, design: Design
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read out every campaign of a turn, and all of them together.

    Args:
        rows: Rows of `tables.outcomes` for `tables.campaign_groups`.
        customers: The same rows as arrays.
        measured_turn: The turn whose contacts they are.
        design: Design of the campaign holdouts.

    Returns:
        Rows of table `effects` and of table `predictions`, all campaigns together first.
    """
    campaigns = words(rows, "campaign_id")
    cost, expected = numbers(rows, "cost"), numbers(rows, "expected_margin")
    effects, predictions = [], []
    for name in (ALL, *np.unique(campaigns).tolist()):
        mine = np.ones(len(campaigns), bool) if name == ALL else campaigns == name
        group = of_campaigns(customers, campaigns) if name == ALL else only(customers, mine)
        readouts = read_out(
            group.outcomes, group.is_treated, group.covariates,
            held_out=design.held_out, level=design.level,
            key=key_of(design.seed, measured_turn, name),
        )  # fmt: skip
        sent = mine & customers.is_treated
        effects += [
            _measured(readout, measured_turn=measured_turn, campaign_id=name)
            | {"window_days": design.window_days, "cost": round(math.fsum(cost[sent]), 2)}
            for readout in readouts
        ]
        margin = next(readout for readout in readouts if readout.metric == "margin")
        predicted = math.fsum(expected[sent])
        predictions.append(
            _prediction(margin, predicted, measured_turn=measured_turn, campaign_id=name)
        )
    return effects, predictions


def programme_rows(
    customers: Compared, *, from_turn: int, to_turn: int, design: Design
) -> list[dict[str, Any]]:
    """Read out everything the programme caused so far against the global holdout.

    The interval shown is the fixed-level one, right for a reader who looks once. A claim is
    made for margin alone, and only when an interval that may be looked at every turn lies
    above zero: one question, asked every turn, wrong in at most 1 - `CLAIM_LEVEL` of all
    programmes that cause nothing.

    Args:
        customers: Every customer the programme counted, with outcomes since their first turn.
        from_turn: First turn counted.
        to_turn: Last turn counted.
        design: Design of the global holdout.

    Returns:
        Rows of table `programme_effects`.
    """
    readouts = read_out(
        customers.outcomes, customers.is_treated, customers.covariates,
        held_out=design.held_out, level=design.level, key=key_of(design.seed, "programme"),
    )  # fmt: skip
    looks = to_turn - from_turn + 1
    return [
        _measured(readout, from_turn=from_turn, to_turn=to_turn)
        | {"claims": readout.metric == "margin" and claims(readout, looks=looks)}
        for readout in readouts
    ]


def claims(readout: Readout, *, looks: int) -> bool:
    """Say whether an effect above zero may be claimed after so many looks.

    Args:
        readout: The effect so far.
        looks: Turns it was looked at, this one included, >= 1.

    Returns:
        True when the interval for repeated looks lies above zero; false when nothing was
        measured.

    Example:
        >>> seen = Readout("margin", 900, 100, 1.0, "ok", 250.0, 100.0, 85.5, 414.5, 0.9, 249.0)
        >>> claims(seen, looks=12)
        False
    """
    if readout.estimate is None or readout.standard_error is None:
        return False
    radius = sequence_radius(
        readout.standard_error, looks=looks, tuned_at=TUNED_AT, level=CLAIM_LEVEL
    )
    return readout.estimate > radius


def as_table(name: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Put rows into the declared columns of a table but `turn`; no rows give empty columns."""
    names = [column for column in TABLES[name].names if column != "turn"]
    return pa.table({column: [row[column] for row in rows] for column in names})


def _measured(readout: Readout, **names: Any) -> dict[str, Any]:
    return names | {
        "metric": readout.metric,
        "treated": readout.treated,
        "control": readout.control,
        "srm_p": readout.srm_p,
        "status": readout.status,
        "estimate": readout.estimate,
        "low": readout.low,
        "high": readout.high,
        "level": readout.level,
        "mde": readout.mde,
    }


def _prediction(margin: Readout, predicted: float, **names: Any) -> dict[str, Any]:
    inside = None
    if margin.low is not None and margin.high is not None:
        inside = margin.low <= predicted <= margin.high
    return names | {
        "predicted": predicted,
        "measured": margin.estimate,
        "low": margin.low,
        "high": margin.high,
        "inside": inside,
    }
