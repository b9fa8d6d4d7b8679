"""What a model of orders would have said on earlier days, and so how far off it may be now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.charts.deciles import Decile as Bar
from regulars.charts.deciles import decile_bars
from regulars.errors import NotReady
from regulars.understand.value.models.histories import OrderHistories, group_histories
from regulars.understand.value.models.uncertainty import OrderModel, parameter_draws
from regulars.understand.value.season import CALM, Season, order_days

Numbers = NDArray[np.float64]

_PARTS = (0.33, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_LEAST_ORDERS = 30
_LEAST_ORIGINS = 3
_DRAWS = 30


@dataclass(frozen=True)
class Origin:
    """An earlier day, and the orders from then until now of the customers known by then.

    Attributes:
        day: The day looked from.
        expected: Orders the model expected, fitted on what was known that day.
        actual: Orders that came.
        noise: Standard error of log(actual / expected) were the model true: from the luck of
            single customers, and from parameters as unsure as they were that day.
    """

    day: np.datetime64
    expected: float
    actual: float
    noise: float


@dataclass(frozen=True)
class Origins:
    """What a model said on earlier days of the same history.

    Attributes:
        rows: The earlier days, the first one first.
    """

    rows: tuple[Origin, ...]

    @property
    def spread(self) -> float:
        """How far the level of all customers may be off, as a standard deviation of its log.

        The mean square of log(actual / expected) less what it would be were the model true; 0
        where that explains it all. `ResidualValue.widened` takes it.
        """
        missed = [np.log(row.actual / row.expected) ** 2 - row.noise**2 for row in self.rows]
        return float(np.sqrt(max(np.mean(missed), 0.0)))

    def plot(self) -> dict[str, Any]:
        """Give the chart that asks: did as many orders come as the model said?"""
        return decile_bars(
            [Bar(row.expected, row.actual) for row in self.rows],
            title="Did as many orders come until now as the model said on earlier days?",
            x_name="earlier day",
            y_name="orders",
        )


def try_origins(
    fit: Callable[[OrderHistories], OrderModel],
    customer: ArrayLike,
    day: ArrayLike,
    *,
    as_of: ArrayLike,
    season: Season = CALM,
    seed: int = 7,
) -> Origins:
    """Ask a model on seven earlier days what would come until now, and see what came.

    Args:
        fit: Fits the model, as `fit_pareto_nbd`.
        customer: Who ordered, whole numbers, shape (orders,).
        day: When, as dates or whole days since 1970-01-01, shape (orders,); orders of one day
            count once, days after `as_of` are left out.
        as_of: Now; nothing later is read.
        season: How busy each month is.
        seed: Root of the draws of parameters.

    Returns:
        The earlier days after which 30 orders or more came, from a third to nine tenths of the
        way from the first order to now.

    Raises:
        NotReady: There are fewer than 3 such days on which the model could be fitted.

    Source:
        Ours, because models of orders are off by more than their own intervals say: of 26
        forecasts for five shops, what came lay in the 90 % interval of the Pareto/NBD in 5, widened
        by this in 22 (BG/NBD 6 and 23).

    Example:
        >>> from regulars.understand.value.models.orders.mbg_nbd import fit_mbg_nbd
        >>> draw = np.random.default_rng(1)
        >>> who, when = draw.integers(0, 400, 6000), draw.integers(0, 365, 6000)
        >>> found = try_origins(fit_mbg_nbd, who, when, as_of=364)
        >>> len(found.rows), found.spread < 0.1
        (7, True)
    """
    who, when = order_days(customer, day)
    now = np.asarray(as_of).astype("datetime64[D]")
    who, when = who[when <= now], when[when <= now]
    if not who.size:
        raise NotReady("nobody ordered before as_of; choose a later day, or import the orders")
    span = (now - when.min()).astype(np.int64)
    days = [when.min() + np.timedelta64(int(span * part), "D") for part in _PARTS]
    rng = np.random.default_rng(seed)
    found = [_looked_back(fit, who, when, (one, now), season, rng) for one in days]
    rows = tuple(row for row in found if row)
    if len(rows) < _LEAST_ORIGINS:
        raise NotReady(
            f"on {len(rows)} of {len(_PARTS)} earlier days the model could be fitted and "
            f"{_LEAST_ORDERS} orders came after it, {_LEAST_ORIGINS} are needed; wait, or import "
            "a longer history"
        )
    return Origins(rows)


def _looked_back(
    fit: Callable[[OrderHistories], OrderModel],
    who: NDArray[np.int64],
    when: NDArray[np.datetime64],
    between: tuple[np.datetime64, NDArray[np.datetime64]],
    season: Season,
    rng: np.random.Generator,
) -> Origin | None:
    day, now = between
    columns = season.rhythm(who, when, as_of=day)
    known = np.unique(who[when <= day])
    later = who[(when > day) & np.isin(who, known)]
    came = np.bincount(np.searchsorted(known, later), minlength=known.size)
    if came.sum() < _LEAST_ORDERS:
        return None
    histories, ahead = group_histories(*columns), float(season.elapsed([day], [now])[0])
    try:
        model = fit(histories)
    except NotReady:
        return None
    expected = model.expected_orders(*columns, ahead)
    total = float(expected.sum())
    drawn = parameter_draws(model, histories, draws=_DRAWS, rng=rng)
    unsure = float(np.log([_total(one, histories, ahead) for one in drawn]).var())
    luck = float(((came - expected) ** 2).sum()) / total**2
    return Origin(day, total, float(came.sum()), float(np.sqrt(luck + unsure)))


def _total(model: OrderModel, histories: OrderHistories, ahead: float) -> float:
    expected = model.expected_orders(histories.x, histories.t_x, histories.T, ahead)
    return float((histories.weights * expected).sum())
