"""Covariates of order models: what is known of a customer moves how often he buys and leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import InputError
from regulars.understand.value.models.histories import OrderHistories, group_histories
from regulars.understand.value.models.orders.beta_geometric import BetaGeometric
from regulars.understand.value.models.orders.fitted import fit_orders
from regulars.understand.value.models.orders.pareto_nbd import ParetoNBD
from regulars.understand.value.models.positive_fit import Loss, fit_positive
from regulars.understand.value.models.uncertainty import covariance_at

Numbers = NDArray[np.float64]
Model = TypeVar("Model", bound=BetaGeometric | ParetoNBD)
_MOST_KINDS = 500
_EDGES = (1e-3, 1e3)


@dataclass(frozen=True)
class Covariates(Generic[Model]):
    """An order model whose rates depend on what is known of a customer.

    Attributes:
        base: The model of a customer whose covariates are all 0.
        purchase: By covariate, by how much the log of the buying rate grows with 1 of it.
        dropout: By covariate, by how much the log of the rate of leaving grows with 1 of it; of
            a BG/NBD or MBG/NBD, of the odds of leaving after an order.
        standard_errors: Of `purchase` and `dropout` by name, as `purchase.female`.
    """

    base: Model
    purchase: dict[str, float]
    dropout: dict[str, float]
    standard_errors: dict[str, float]

    def of(self, covariates: Mapping[str, float]) -> Model:
        """Give the model of customers with these covariates.

        Args:
            covariates: Value by name; those left out are 0.

        Returns:
            A plain model, which answers everything plain models answer.

        Raises:
            InputError: A covariate is not one of the model.
        """
        unknown = sorted(set(covariates) - set(self.purchase) - set(self.dropout))
        if unknown:
            known = sorted({*self.purchase, *self.dropout})
            raise InputError(f"{unknown[0]} is no covariate of this model; it has {known}")
        buys, leaves = (
            np.exp(sum(by_name[name] * covariates.get(name, 0.0) for name in by_name))
            for by_name in (self.purchase, self.dropout)
        )
        name, power = _leaving(type(self.base))
        changed: dict[str, Any] = {
            "alpha": float(self.base.alpha / buys),
            name: float(getattr(self.base, name) * leaves**power),
        }
        return replace(self.base, **changed)


def fit_with_covariates(
    model: type[Model],
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    *,
    purchase: Mapping[str, ArrayLike],
    dropout: Mapping[str, ArrayLike],
) -> Covariates[Model]:
    """Fit an order model with covariates that do not change over time.

    Args:
        model: BGNBD, MBGNBD or ParetoNBD.
        x: Repeat orders, >= 0, shape (customers,).
        t_x: Time from first to last order, 0 when x is 0, shape (customers,).
        T: Time from first order to now, >= t_x, shape (customers,).
        purchase: What may move how often a customer buys: values by name, each of shape
            (customers,).
        dropout: What may move how soon he leaves, likewise.

    Returns:
        The fitted model; without covariates that of the plain fit.

    Raises:
        InputError: A covariate is not one finite number per customer, or the same for everybody,
            or customers are of more than 500 kinds.
        NotReady: Fewer than 10 customers bought again, or no start led to a maximum.

    Source:
        Fader & Hardie (2007), "Incorporating Time-Invariant Covariates into the Pareto/NBD and
        BG/NBD Models": alpha and beta are divided by the exponential; of a BG/NBD, ours, a
        alone is multiplied by it, so that a covariate has one direction.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> card, T = draw.integers(0, 2, 4000).astype(float), np.full(4000, 52.0)
        >>> x = draw.poisson(draw.gamma(1.0, 3.0, 4000) * np.exp(0.7 * card)).astype(float)
        >>> t_x = np.where(x > 0, T * draw.random(4000) ** (1 / np.maximum(x, 1)), 0.0)
        >>> found = fit_with_covariates(
        ...     ParetoNBD, x, t_x, T, purchase={"card": card}, dropout={}
        ... )
        >>> bool(0.6 < found.purchase["card"] < 0.8)
        True
    """
    x, t_x, T = (np.asarray(part, dtype=np.float64) for part in (x, t_x, T))
    names = [*(f"purchase.{one}" for one in purchase), *(f"dropout.{one}" for one in dropout)]
    columns = [np.asarray(one, dtype=np.float64) for one in (*purchase.values(), *dropout.values())]
    for name, column in zip(names, columns, strict=True):
        if column.shape != x.shape or not np.isfinite(column).all():
            raise InputError(f"covariate {name} must be one finite number per customer")
        if np.ptp(column) == 0:
            raise InputError(f"covariate {name} is {column[0]:g} for everybody; leave it out")
    z = np.stack(columns, axis=1) if columns else np.zeros((x.size, 0))
    kinds, kind = np.unique(z, axis=0, return_inverse=True)
    if len(kinds) > _MOST_KINDS:
        raise InputError(
            f"covariates make {len(kinds)} kinds of customers, {_MOST_KINDS} at most; put numbers "
            "into classes"
        )
    parts = [
        group_histories(*(part[kind == one] for part in (x, t_x, T))) for one in range(len(kinds))
    ]
    return _fitted(model, parts, kinds, names, len(purchase))


def _fitted(
    model: type[Model], parts: list[OrderHistories], kinds: Numbers, names: list[str], bought: int
) -> Covariates[Model]:
    """Climb from the plain fit, effects held as the factors they are."""
    x, t_x, T, weights = (
        np.concatenate([getattr(one, name) for one in parts])
        for name in ("x", "t_x", "T", "weights")
    )
    whole = group_histories(x, t_x, T, weights)
    plain = model(**fit_orders(model, whole))
    scales = np.where(model.SCALES, whole.unit, 1.0)
    start = (np.array([getattr(plain, one) for one in model.NAMES]) / scales).tolist()
    loss = _loss(model, parts, kinds, bought, whole.unit)
    found = fit_positive(
        loss,
        [[*start, *(1.0 for _ in names)]],
        [*((at / 50, at * 50) for at in start), *(_EDGES for _ in names)],
        names=[*model.NAMES, *names],
    )
    values = np.array(found.values)
    level = -found.loss * whole.customers - float((weights * x).sum()) * np.log(whole.unit)
    kept: dict[str, Any] = {"log_likelihood": float(level), "note": found.note}
    kept |= dict(zip(model.NAMES, (values[:4] * scales).tolist(), strict=True))
    spread = np.sqrt(np.diag(covariance_at(loss, np.log(values), whole.customers))[4:])
    effects = dict(zip(names, np.log(values[4:]).tolist(), strict=True))
    return Covariates(
        replace(plain, **kept),
        {one.removeprefix("purchase."): effects[one] for one in names[:bought]},
        {one.removeprefix("dropout."): effects[one] for one in names[bought:]},
        dict(zip(names, spread.tolist(), strict=True)),
    )


def _loss(
    model: type[Model], parts: list[OrderHistories], kinds: Numbers, bought: int, unit: float
) -> Loss:
    """Give the mean loss over all kinds of customers, each at its own parameters."""
    share = np.array([one.customers for one in parts]) / sum(one.customers for one in parts)
    own = [model.likelihood(one, unit) for one in parts]
    leaving, power = _leaving(model)
    buys_at, leaves_at = model.NAMES.index("alpha"), model.NAMES.index(leaving)

    def loss(values: Numbers) -> tuple[float, Numbers]:
        effects = np.log(values[4:])
        buys = np.exp(-kinds[:, :bought] @ effects[:bought])
        leaves = np.exp(power * kinds[:, bought:] @ effects[bought:])
        total, gradient = 0.0, np.zeros(len(values))
        for place, one in enumerate(own):
            factor = np.ones(4)
            factor[buys_at], factor[leaves_at] = buys[place], leaves[place]
            value, slope = one(values[:4] * factor)
            total += share[place] * value
            slope = share[place] * slope * factor
            gradient[:4] += slope
            of_logs = slope * values[:4]
            gradient[4 : 4 + bought] -= of_logs[buys_at] * kinds[place, :bought]
            gradient[4 + bought :] += power * of_logs[leaves_at] * kinds[place, bought:]
        gradient[4:] /= values[4:]
        return total, gradient

    return loss


def _leaving(model: type[Any]) -> tuple[str, int]:
    """Which parameter tells of leaving, and the power of its rate that it goes with."""
    return ("beta", -1) if issubclass(model, ParetoNBD) else ("a", 1)
