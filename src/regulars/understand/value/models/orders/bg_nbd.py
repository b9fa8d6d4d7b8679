"""BG/NBD: how often a customer still buys, when a customer may silently have left."""

from dataclasses import dataclass
from typing import ClassVar

from regulars.understand.value.models.histories import OrderHistories, group_histories
from regulars.understand.value.models.orders.beta_geometric import BetaGeometric
from regulars.understand.value.models.orders.fitted import fit_orders

__all__ = ["BGNBD", "OrderHistories", "fit_bg_nbd", "group_histories"]


@dataclass(frozen=True)
class BGNBD(BetaGeometric):
    """A fitted BG/NBD: customers leave after a repeat order, never before the second order.

    P(alive) of a customer with one order is therefore always 1. It answers what every
    `FittedOrders` does.

    Example:
        >>> import numpy as np
        >>> fitted = BGNBD(0.243, 4.414, 0.793, 2.426, 0.0, 1)
        >>> x, t_x, T = np.array([2.0]), np.array([30.43]), np.array([38.86])
        >>> round(float(fitted.expected_orders(x, t_x, T, 39)[0]), 2)
        1.23
    """

    NAME: ClassVar[str] = "BG/NBD"


def fit_bg_nbd(histories: OrderHistories) -> BGNBD:
    """Fit the BG/NBD by maximum likelihood.

    Args:
        histories: Distinct histories with their numbers of customers.

    Returns:
        The fitted model. Where the data leave a parameter open (nobody seems to leave, or all
        buy at the same rate) it stops at the edge of the search and `note` says so.

    Raises:
        NotReady: Fewer than 10 customers bought again, or no start led to a maximum.

    Source:
        Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to
        the Pareto/NBD Model", Marketing Science 24(2), equation 6.

    Example:
        >>> import numpy as np
        >>> draw = np.random.default_rng(1)
        >>> T, x = np.full(500, 52.0), draw.poisson(draw.gamma(1.0, 3.0, 500)).astype(float)
        >>> t_x = np.where(x > 0, T * draw.random(500) ** (1 / np.maximum(x, 1)), 0.0)
        >>> fitted = fit_bg_nbd(group_histories(x, t_x, T))
        >>> bool(0.9 < fitted.expected_orders_of_new(52) / x.mean() < 1.1)
        True
    """
    return BGNBD(**fit_orders(BGNBD, histories))
