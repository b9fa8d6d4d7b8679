"""What a channel can do: rates of few contacts, drawn towards those of many, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, expit

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

    Example:
        >>> few, many = Counts(2, 2, 2, 2, 0, 0.1), Counts(1000, 1000, 990, 100, 20, 50.0)
        >>> found = capabilities({("sms", "new"): few, ("sms", "active"): many})
        >>> [round(one.rates["engage"].value, 2) for one in found]
        [0.1, 0.16]
    """
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
