"""What a channel can do: rates of few contacts, drawn towards those of many, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, expit

from regulars.errors import InputError
from regulars.numerics.arrays import arrow_table, numbers, require_columns, words
from regulars.numerics.given import floats_given

MEASURES = ("reach", "engage", "convert")
"""Delivered of those tried; opened or clicked, ordered within the window, of those sent."""
EVERY_STAGE = "*"

Floats = NDArray[np.float64]

_FEW = 10.0
_TRUSTS = np.exp(np.linspace(np.log(_FEW), np.log(2_000.0), 21))
_USUAL_TRUST, _TRUST_SPREAD = 100.0, 1.0
_SHIFTS = np.linspace(-1.5, 1.5, 41)
"""Where the rate of a channel may lie around that of all its contacts, in logits."""
_NEGLIGIBLE = 1e-3
_HALVINGS = 24


class Counts(NamedTuple):
    """What happened to contacts by one channel in one stage.

    Attributes:
        tried: Contacts handed over or failed.
        sent: Contacts handed over.
        reached: Tried, neither failed nor bounced.
        engaged: Sent, and opened or clicked.
        converted: Sent, and ordered within the window.
        cost: Cost of those sent.
    """

    tried: int
    sent: int
    reached: int
    engaged: int
    converted: int
    cost: float


@dataclass(frozen=True)
class Rate:
    """One rate with its interval.

    Attributes:
        value: From 0 to 1; money for the cost of a contact.
        low: Lower end of the interval, 90 %.
        high: Upper end.
        why: Who overrode it and why; "" for a rate that was learned.
    """

    value: float
    low: float
    high: float
    why: str = ""


@dataclass(frozen=True)
class Capability:
    """What one channel can do in one stage.

    Attributes:
        channel: The channel.
        stage: new, active, cooling, sleeping or unknown.
        sent: Contacts behind it.
        rates: By measure: reach, engage, convert; and cost per contact.
    """

    channel: str
    stage: str
    sent: int
    rates: Mapping[str, Rate]


def capabilities(counts: Mapping[tuple[str, str], Counts]) -> list[Capability]:
    """Learn what each channel can do in each stage.

    A stage with few contacts has mostly the rate of its channel, one with many its own; how much
    a stage is trusted is learned from how much the stages of all channels differ.

    Args:
        counts: By channel and stage.

    Returns:
        One per channel and stage, in order.

    Source:
        Beta-binomial shrinkage: Kleinman (1973), "Proportions with extraneous variance", JASA
        68; rate and trust by their marginal likelihood on a grid.

    Raises:
        InputError: A count is below 0, or more were reached than tried, or engaged or converted
            than sent.

    Example:
        >>> few, many = Counts(2, 2, 2, 2, 0, 0.1), Counts(1000, 1000, 990, 100, 20, 50.0)
        >>> found = capabilities({("sms", "new"): few, ("sms", "active"): many})
        >>> [round(one.rates["engage"].value, 2) for one in found]
        [0.1, 0.16]
    """
    for (channel, stage), one in counts.items():
        _require_possible(f"{channel} in stage {stage}", one)
    priors = {
        (channel, measure): _prior([
            _parts(measure, one) for (name, _), one in counts.items() if name == channel
        ])
        for channel in sorted({channel for channel, _ in counts})
        for measure in MEASURES
    }
    found = []
    for (channel, stage), one in sorted(counts.items()):
        rates = {
            measure: _rate(*_parts(measure, one), priors[channel, measure]) for measure in MEASURES
        }
        cost = one.cost / one.sent if one.sent else 0.0
        rates["cost"] = Rate(cost, cost, cost)
        found.append(Capability(channel, stage, one.sent, rates))
    return found


def of_customer(own: Mapping[str, Counts], stage: Sequence[Capability]) -> list[Capability]:
    """Give what each channel can do for one customer: hers, drawn towards that of her stage.

    Args:
        own: What happened to her contacts, by channel.
        stage: What the channels can do in her stage.

    Returns:
        One per channel of the stage.

    Example:
        >>> stage = capabilities({("sms", "new"): Counts(1000, 1000, 990, 100, 20, 50.0)})
        >>> [hers] = of_customer({"sms": Counts(4, 4, 4, 4, 0, 0.2)}, stage)
        >>> round(stage[0].rates["engage"].value, 2), round(hers.rates["engage"].value, 2)
        (0.1, 0.36)
    """
    found = []
    for one in stage:
        mine = own.get(one.channel, Counts(0, 0, 0, 0, 0, 0.0))
        rates = {
            measure: one.rates[measure]
            if one.rates[measure].why
            else _rate(*_parts(measure, mine), _around(one.rates[measure].value))
            for measure in MEASURES
        }
        found.append(
            Capability(one.channel, one.stage, mine.sent, rates | {"cost": one.rates["cost"]})
        )
    return found


def counts_of(table: Any) -> dict[tuple[str, str], Counts]:
    """Read what happened to contacts from a table, for `capabilities`.

    Args:
        table: Arrow, pandas, polars or Ibis table, or columns by name: channel, stage, tried,
            sent, reached, engaged, converted and cost; rows of one channel and stage are added up.

    Returns:
        The counts by channel and stage.

    Raises:
        InputError: A column is missing or holds no numbers, or a count cannot be.

    Example:
        >>> table = {"channel": ["sms"], "stage": ["new"], "tried": [50], "sent": [50],
        ...     "reached": [49], "engaged": [9], "converted": [2], "cost": [2.5]}
        >>> [found] = capabilities(counts_of(table))
        >>> round(found.rates["reach"].value, 2), round(found.rates["cost"].value, 2)
        (0.97, 0.05)
    """
    given = arrow_table(table)
    require_columns(given, ("channel", "stage", *Counts._fields), of="contacts")
    names = zip(words(given, "channel").tolist(), words(given, "stage").tolist(), strict=True)
    columns = np.stack(
        [floats_given(numbers(given, name), name, least=0) for name in Counts._fields], axis=1
    )
    rows: dict[tuple[str, str], Counts] = {}
    for name, row in zip(names, columns.tolist(), strict=True):
        tried, sent, reached, engaged, converted = (int(part) for part in row[:-1])
        own = Counts(tried, sent, reached, engaged, converted, row[-1])
        rows[name] = summed([rows[name], own]) if name in rows else own
    for (channel, stage), one in rows.items():
        _require_possible(f"{channel} in stage {stage}", one)
    return rows


def _require_possible(where: str, counts: Counts) -> None:
    reached, sent = (counts.reached, counts.tried), max(counts.engaged, counts.converted)
    if min(counts) < 0 or reached[0] > reached[1] or sent > counts.sent:
        raise InputError(
            f"{where}: {counts}; give counts of 0 or more, no more reached than tried, and no more "
            "engaged or converted than sent"
        )


def summed(counts: Sequence[Counts]) -> Counts:
    """Add counts up; zeros for none."""
    columns = zip(*counts, strict=True)
    return Counts(*map(sum, columns)) if counts else Counts(0, 0, 0, 0, 0, 0.0)


def _parts(measure: str, counts: Counts) -> tuple[int, int]:
    if measure == "reach":
        return counts.reached, counts.tried
    return (counts.engaged if measure == "engage" else counts.converted), counts.sent


class _Prior(NamedTuple):
    """Rates a channel may have, how many contacts each is worth, and how likely it is."""

    middle: Floats
    trust: Floats
    share: Floats


def _around(middle: float) -> _Prior:
    return _Prior(np.array([middle]), np.array([_FEW]), np.ones(1))


def _prior(stages: Sequence[tuple[int, int]]) -> _Prior:
    """Learn from the stages of a channel where its rate lies and how much they keep to it."""
    hits, of = np.array(stages, dtype=np.float64).T
    pooled = (hits.sum() + 0.5) / (of.sum() + 1.0)
    middle = expit(np.log(pooled / (1 - pooled)) + _SHIFTS)
    m, k = (grid.ravel() for grid in np.meshgrid(middle, _TRUSTS))
    a, b = k[:, None] * m[:, None], k[:, None] * (1 - m[:, None])
    said = (betaln(a + hits, b + of - hits) - betaln(a, b)).sum(axis=1)
    said -= (np.log(k / _USUAL_TRUST) / _TRUST_SPREAD) ** 2 / 2
    weight = np.exp(said - said.max())
    kept = weight > _NEGLIGIBLE
    return _Prior(m[kept], k[kept], weight[kept] / weight[kept].sum())


def _rate(hits: int, of: int, prior: _Prior) -> Rate:
    """Give the rate of one group, and the interval of what it may be."""
    a = hits + prior.trust * prior.middle
    b = of - hits + prior.trust * (1 - prior.middle)
    ends = []
    for share in (0.05, 0.95):
        low, high = 0.0, 1.0
        for _halving in range(_HALVINGS):
            point = (low + high) / 2
            is_below = float(prior.share @ betainc(a, b, point)) < share
            low, high = (point, high) if is_below else (low, point)
        ends.append((low + high) / 2)
    return Rate(float(prior.share @ (a / (a + b))), ends[0], ends[1])
