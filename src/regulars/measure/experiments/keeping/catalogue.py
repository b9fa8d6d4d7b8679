"""The metrics an experiment of a workspace may name, each defined once over the shop's facts."""

from collections.abc import Mapping

from regulars.errors import UnknownName
from regulars.measure.experiments.metrics import Kind, Metric

PAST_DAYS = 28
"""Days before the start that count as a customer's past, for CUPED and the test on the past."""

METRICS: Mapping[str, Metric] = {
    "buyers": Metric("buyers", "is_buyer", Kind.PROPORTION, before="was_buyer"),
    "orders": Metric("orders", "orders", before="orders_before"),
    "sales": Metric("sales", "sales", before="sales_before"),
    "margin": Metric("margin", "margin", before="margin_before"),
    "basket": Metric("basket", "sales", Kind.RATIO, over="orders"),
    "refunds": Metric("refunds", "refunds", before="refunds_before"),
}
"""By name: share of customers who buy; orders, money paid, margin and money paid back per
customer; money per order."""


def metric_named(name: str) -> Metric:
    """Give the definition of a metric.

    Args:
        name: Its name in `METRICS`.

    Returns:
        The definition.

    Raises:
        UnknownName: There is none of that name.

    Example:
        >>> metric_named("basket").over
        'orders'
    """
    if name not in METRICS:
        raise UnknownName("metric", name, METRICS)
    return METRICS[name]
