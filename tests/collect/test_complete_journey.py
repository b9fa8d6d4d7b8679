"""Complete Journey through the mapping: totals to the cent, weeks to the day."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from regulars.collect.sources.service import import_files
from regulars.datasets import complete_journey
from regulars.errors import InputError

LINES, ORDERS, CUSTOMERS, SALES = 1_469_307, 155_848, 2_469, Decimal("4596039.58")


def path_of(name):
    [path] = [path for path in complete_journey.files() if path.stem == name]
    return path


@pytest.fixture(scope="module")
def grocer(tmp_path_factory, new_shop):
    """Give a shop that has imported everything but the 20.9 million promotions."""
    shop = new_shop(tmp_path_factory.mktemp("grocer"))
    files = [path for path in complete_journey.files() if path.stem != "promotions"]
    shop.results = bring(shop, files)
    return shop


def bring(shop, files):
    mapping, zone = complete_journey.mapping(), complete_journey.ZONE
    return import_files(shop.lake, files, mapping, zone=zone)


def totals(shop):
    lines, orders = shop.table("order_lines"), shop.table("orders")
    sales = pc.sum(lines.column("sales")).as_py()
    assert sales == pc.sum(orders.column("total")).as_py()
    return lines.num_rows, orders.num_rows, shop.table("customers").num_rows, sales


def test_lines_orders_customers_and_sales_reconcile_to_the_cent(grocer):
    assert totals(grocer) == (LINES, ORDERS, CUSTOMERS, SALES)


def test_every_table_closes_and_only_the_repeated_coupons_are_held_back(grocer):
    ledger = grocer.ledger(grocer.results)

    assert all(r == s + d + q for r, s, d, q in ledger.values())
    assert {key: row[3] for key, row in ledger.items() if row[3]} == {
        ("coupons.parquet", "coupons"): 4_872
    }
    assert ledger["transactions.parquet", "customers"] == (2_469, 1_668, 801, 0)
    assert {row["reason"] for row in grocer.rows("quarantine")} == {"duplicate_line"}


def test_the_local_day_of_every_line_lies_in_the_week_the_grocer_says(grocer):
    given = pq.read_table(path_of("transactions"), columns=["basket_id", "product_id", "week"])
    week = dict(
        zip(given.column("basket_id").to_pylist(), given.column("week").to_pylist(), strict=True)
    )
    orders = grocer.table("orders")
    days = orders.column("business_date").cast(pa.int32()).to_numpy()
    weeks = np.array([week[int(order)] for order in orders.column("order_id").to_pylist()])

    sundays = np.array([complete_journey.last_day(w).toordinal() for w in range(1, 54)])
    sundays -= complete_journey.last_day(1).toordinal() - 17_167  # 2017-01-01 is day 17,167
    found = np.searchsorted(sundays, days) + 1

    assert (found == weeks).all()
    per_order = dict(zip(orders.column("order_id").to_pylist(), days.tolist(), strict=True))
    lines = grocer.table("order_lines")
    line_days = lines.column("business_date").cast(pa.int32()).to_pylist()
    assert all(
        per_order[order] == day
        for order, day in zip(lines.column("order_id").to_pylist(), line_days, strict=True)
    )


def test_dropping_and_doubling_rows_of_the_input_shows_in_every_total(tmp_path, new_shop):
    given = pq.read_table(path_of("transactions"))
    chosen = np.random.default_rng(11).permutation(LINES)
    dropped, doubled = np.sort(chosen[:1000]), np.sort(chosen[1000:2000])
    kept = np.setdiff1d(np.arange(LINES), dropped)
    shop = new_shop(tmp_path)
    path = shop.folder / "transactions.parquet"
    changed = pa.concat_tables([given.take(pa.array(kept)), given.take(pa.array(doubled))])
    pq.write_table(changed, path)

    results = shop.ledger(bring(shop, [path]))

    left = given.take(pa.array(kept))
    cents = np.rint(left.column("sales_value").to_numpy() * 100).astype(np.int64).sum()
    baskets = left.column("basket_id").unique()
    households = left.column("household_id").unique()
    assert results["transactions.parquet", "order_lines"] == (LINES, LINES - 1000, 0, 1000)
    assert totals(shop) == (
        LINES - 1000, len(baskets), len(households), Decimal(int(cents)) / 100
    )  # fmt: skip
    held = shop.table("quarantine")
    assert set(held.column("reason").to_pylist()) == {"duplicate_line"}
    assert held.column("row").to_pylist() == list(range(LINES - 999, LINES + 1))


def test_a_week_is_delivered_as_files_that_add_up_with_the_history(grocer, tmp_path):
    given = pq.read_table(path_of("transactions"), columns=["week", "sales_value"])

    files = complete_journey.week_files(41, tmp_path)
    names = [path.name for path in files]
    again = [path.read_bytes() for path in complete_journey.week_files(41, tmp_path)]

    assert names[:3] == [
        "transactions-41-41.parquet", "promotions-41-41.parquet", "coupon_redemptions-41-41.parquet"
    ]  # fmt: skip
    assert again == [path.read_bytes() for path in files]
    week = pq.read_table(files[0])
    assert week.column("week").unique().to_pylist() == [41]
    assert week.num_rows == pc.sum(pc.equal(given.column("week"), 41)).as_py()
    results = grocer.ledger(bring(grocer, files))
    assert results["transactions-41-41.parquet", "order_lines"] == (28_779, 0, 28_779, 0)
    assert results["promotions-41-41.parquet", "promotions"] == (396_947, 396_947, 0, 0)


def test_the_history_of_one_week_holds_nothing_of_the_next(tmp_path):
    files = {path.stem.split("-")[0]: path for path in complete_journey.history_until(1, tmp_path)}

    redeemed = pq.read_table(files["coupon_redemptions"]).column("redemption_date")
    assert pq.read_table(files["transactions"]).column("week").unique().to_pylist() == [1]
    assert str(pc.max(redeemed).as_py())[:10] == "2017-01-01"
    assert pq.read_table(files["campaigns"]).column("campaign_id").unique().to_pylist() != []


def test_a_week_the_grocer_does_not_have_is_refused(tmp_path):
    with pytest.raises(InputError, match="week is 54, must be a whole number from 1 to 53"):
        complete_journey.week_files(54, tmp_path)
