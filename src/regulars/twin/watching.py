"""The twin watched over its history, to be compared with its original."""

import numpy as np

from regulars.twin.households import CATEGORIES_EACH, DEPARTMENTS, Habits
from regulars.twin.retailer import Twin


def watched_habits(twin: Twin) -> Habits:
    """Live the history of a twin and count what the customers do, as it is counted in the data.

    Args:
        twin: A twin with some weeks of history.

    Returns:
        The habits, in the money of the data.
    """
    scale = twin.rules.values[f"scale.{twin.plan.skin}"] * 100
    size = len(DEPARTMENTS)
    orders, sales, baskets = [], [], []
    departments = np.zeros(size)
    shelf = private = coupons = weekend = 0.0
    for _, outcome in twin.history():
        rows, lines = outcome.order_rows, outcome.line_rows
        orders.append(outcome.orders)
        sales.append(outcome.sales * 100 / scale)
        baskets.append(np.bincount(lines.order, lines.sales, minlength=len(rows.day)) / scale)
        place = lines.product // (2 * CATEGORIES_EACH)
        departments += np.bincount(place, lines.sales, minlength=size) / scale
        shelf += float(lines.shelf_discount.sum()) / scale
        private += float(lines.sales[lines.product % 2 == 1].sum()) / scale
        coupons += float((lines.maker_discount > 0).sum())
        weekend += float((rows.day >= 5).sum())
    return Habits(
        orders=np.stack(orders, axis=1).astype(float),
        sales=np.stack(sales, axis=1),
        baskets=np.concatenate(baskets),
        departments=departments,
        shelf_discount=shelf,
        private_sales=private,
        coupon_orders=coupons,
        weekend_orders=weekend,
    )
