"""Read out every cell of a turn: its effect where the draw allows, its spend in any case."""

import math
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.measure.cells.contrasts import contrast_effects
from regulars.measure.effects.customers import Compared, only
from regulars.measure.effects.readout import LEAST, METRICS
from regulars.numerics.arrays import numbers, words

Floats = NDArray[np.float64]

_MARGIN = METRICS.index("margin")
_FAR = NormalDist().inv_cdf(1 - 0.001 / 2)
_SPARE = 3
_CANDIDATES = msgspec.json.Decoder(dict[str, tuple[float, float]])


def cell_rows(
    rows: pa.Table, customers: Compared, measured_turn: int, *, held_out: float
) -> list[dict[str, Any]]:
    """Read out the cells of a turn, segment by segment.

    The effect is on margin before any cost: what was set aside for offers is added back,
    because the money a cell takes from the budget holds it already.

    Args:
        rows: Outcomes of the customers of `tables.open_customers`.
        customers: The same rows as arrays.
        measured_turn: The turn whose contacts they are.
        held_out: Designed share of the chosen held out, in (0, 1).

    Returns:
        Rows of table `cell_effects`, by segment, channel and offer.
    """
    segments = words(rows, "segment")
    found = []
    for segment in np.unique(segments).tolist():
        mine = segments == segment
        part = rows.filter(pa.array(mine))
        for row in _segment(part, only(customers, mine), held_out=held_out):
            found.append({"measured_turn": measured_turn, "segment": segment} | row)
    return sorted(found, key=lambda row: (row["segment"], row["channel"], row["offer_id"]))


def _segment(rows: pa.Table, customers: Compared, *, held_out: float) -> list[dict[str, Any]]:
    """Read out the actions of one segment together: each is compared with all it was not."""
    names, chance = _probabilities(rows)
    chance *= 1 - held_out
    drawn = np.char.add(np.char.add(words(rows, "offer_id"), ":"), words(rows, "channel"))
    sent = customers.is_treated[:, None] & (drawn[:, None] == np.array(names)[None])
    told = (chance * (1 - chance)).sum(axis=0) >= LEAST
    told &= len(chance) > _SPARE * (int(told.sum()) + customers.covariates.shape[1])
    said = contrast_effects(
        customers.outcomes[:, _MARGIN], (sent - chance)[:, told], customers.covariates
    )
    effect, error = np.full((2, len(names)), np.nan)
    effect[told], error[told] = said.effect, said.error
    taken, spent = numbers(rows, "taken"), numbers(rows, "spent")
    found = []
    for place in np.flatnonzero(told | sent.any(axis=0)).tolist():
        mine = sent[:, place]
        spend, contacts = math.fsum(taken[mine]), math.fsum(spent[mine])
        found.append(
            _action(names[place], mine, chance[:, place], spend)
            | _readout(mine, chance[:, place], effect[place], error[place], spend - contacts)
        )
    return found


def _action(name: str, sent: NDArray[np.bool_], chance: Floats, spend: float) -> dict[str, Any]:
    offer, _colon, channel = name.rpartition(":")
    count = int(sent.sum())
    return {
        "channel": channel,
        "offer_id": offer,
        "treated": count,
        "expected": float(chance.sum()),
        "spend": round(spend, 2),
        "most": spend / count * len(chance) if count else None,
    }


def _readout(
    sent: NDArray[np.bool_], chance: Floats, effect: float, error: float, set_aside: float
) -> dict[str, Any]:
    """Give what may be read of one action: nothing where the draw is not what was logged."""
    count = int(sent.sum())
    status = "too_few" if not error > 0 or not count else "ok"
    spread = math.sqrt(float((chance * (1 - chance)).sum()))
    if status == "ok" and abs(count - float(chance.sum())) > _FAR * spread:
        status = "srm"
    if status != "ok":
        return {"status": status, "effect": None, "standard_error": None}
    return {
        "status": status,
        "effect": float(effect) * count + set_aside,
        "standard_error": float(error) * count,
    }


def _probabilities(rows: pa.Table) -> tuple[list[str], Floats]:
    """Give the open actions, and the probability each customer had of each before holdouts."""
    each = [_CANDIDATES.decode(text) for text in rows["candidates"].to_pylist()]
    names = sorted({name for one in each for name in one})
    place = {name: number for number, name in enumerate(names)}
    chance = np.zeros((len(each), len(names)))
    for row, one in enumerate(each):
        for name, (_value, probability) in one.items():
            chance[row, place[name]] = probability
    return names, chance
