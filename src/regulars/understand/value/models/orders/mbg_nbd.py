"""MBG/NBD: BG/NBD in which a customer may leave after the very first order."""

from dataclasses import dataclass
from typing import ClassVar

from regulars.understand.value.models.histories import OrderHistories
from regulars.understand.value.models.orders.beta_geometric import BetaGeometric
from regulars.understand.value.models.orders.fitted import fit_orders


@dataclass(frozen=True)
class MBGNBD(BetaGeometric):
    """A fitted MBG/NBD; fits grocers and others with many who try once better than BG/NBD.

    It answers what every `FittedOrders` does.

    Example:
        >>> import numpy as np
        >>> fitted = MBGNBD(0.525, 6.183, 0.891, 1.614, 0.0, 1)
        >>> once = np.zeros(1), np.zeros(1), np.array([20.0])
        >>> round(float(fitted.p_alive(*once)[0]), 3)
        0.459
    """

    NAME: ClassVar[str] = "MBG/NBD"
    AFTER_FIRST: ClassVar[int] = 1


def fit_mbg_nbd(histories: OrderHistories) -> MBGNBD:
    """Fit the MBG/NBD by maximum likelihood.

    Args:
        histories: Distinct histories with their numbers of customers.

    Returns:
        The fitted model; `note` names a parameter the data leave open.

    Raises:
        NotReady: Fewer than 10 customers bought again, or no start led to a maximum.

    Source:
        Batislam, Denizel & Filiztekin (2007), "Empirical Validation and Comparison of Models
        for Customer Base Analysis", International Journal of Research in Marketing 24(3).

    Example:
        >>> from regulars.understand.value.models.histories import group_histories
        >>> many = group_histories([0, 1, 2, 5], [0, 9, 30, 50], [52] * 4, [90, 40, 30, 9])
        >>> fit_mbg_nbd(many).customers
        169.0
    """
    return MBGNBD(**fit_orders(MBGNBD, histories))
