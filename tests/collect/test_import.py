"""Importing files: what lands, what counts as seen before, what is held back, in which order."""

from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.errors import InputError, OutsideError

CUSTOMERS = "customer_id,name\nc1,安\nc2,Bo\n"
PRODUCTS = "product_id\np1\np2\n"
ORDERS = """order_id,customer_id,ordered_at,total
o1,c1,2026-11-02 09:00,10.00
o2,c2,2026-11-03 10:00,4.50
"""
LINES = """order_id,line_id,customer_id,product_id,business_date,quantity,sales
o1,1,c1,p1,2026-11-02,1,6.00
o1,2,c1,p2,2026-11-02,2,4.00
o2,1,c2,p1,2026-11-03,1,4.50
"""
TILL = """bon,who,what,when,n,paid
o1,c1,p1,2026-11-02 09:00,1,6.00
o1,c1,p2,2026-11-02 09:00,2,4.00
o2,c2,p1,2026-11-03 10:00,1,4.50
"""
TILL_MAPPING = """
[[file]]
match = "till*"
[file.order_lines]
order_id = "bon"
line_id = "what"
customer_id = "who"
product_id = "what"
quantity = "n"
sales = "paid"
[file.orders]
one_per_key = true
order_id = "bon"
customer_id = "who"
ordered_at = "when"
total = { column = "paid", fold = "sum" }
[file.customers]
one_per_key = true
keep_stored = true
customer_id = "who"
"""


@pytest.fixture
def full(shop):
    for name, text in [
        ("order_lines.csv", LINES),
        ("customers.csv", CUSTOMERS),
        ("products.csv", PRODUCTS),
        ("orders.csv", ORDERS),
    ]:
        shop.write(name, text)
    return shop


def test_files_are_read_in_an_order_in_which_ids_are_known(full):
    results = full.bring("order_lines.csv", "orders.csv", "products.csv", "customers.csv")

    assert [r.table for r in results] == ["products", "customers", "orders", "order_lines"]
    assert all(r.stored == r.received for r in results)
    assert full.rows("orders", "order_id", "total") == [
        ("o1", Decimal("10.00")),
        ("o2", Decimal("4.50")),
    ]


def test_importing_again_changes_nothing_and_tells_what_happened_then(full):
    first = full.bring()

    again = full.bring()

    assert full.ledger(again) == full.ledger(first)
    assert not any(r.is_new for r in again)
    assert len(full.rows("order_lines")) == 3
    assert len(full.rows("imports")) == 4


def test_an_unknown_id_is_held_back_unless_the_mapping_accepts_it(full):
    full.bring()
    full.write("order_lines2.csv", LINES.replace("\no", "\nx").replace("p2", "p9"))
    full.write("orders2.csv", ORDERS.replace("\no", "\nx"))

    full.bring("orders2.csv", "order_lines2.csv")

    assert full.held_back() == {("order_lines2.csv", 2, "unknown_id")}
    [row] = full.rows("quarantine")
    assert (row["column"], row["value"], row["row_id"]) == ("product_id", "p9", "x1 2")
    assert row["raw"] == "x1,2,c1,p9,2026-11-02,2,4.00"
    full.bring(
        "order_lines2.csv",
        mapping='[[file]]\nmatch = "*"\n[file.order_lines]\naccept_unknown = ["product_id"]',
    )
    assert len(full.rows("order_lines")) == 6


def test_ids_are_not_checked_against_a_table_nobody_has_filled(shop):
    shop.write("orders.csv", ORDERS)

    assert shop.ledger(shop.bring()) == {("orders.csv", "orders"): (2, 2, 0, 0)}


def test_an_order_of_a_customer_whose_own_row_is_in_quarantine_lands(full):
    full.write("customers.csv", b"customer_id,name\nc1," + "安".encode("gbk") + b"\nc2,Bo\n")

    assert full.ledger(full.bring(dry_run=True))["orders.csv", "orders"] == (2, 2, 0, 0)
    full.bring("customers.csv")
    full.bring("products.csv", "orders.csv", "order_lines.csv")

    assert full.held_back() == {("customers.csv", 1, "bad_encoding")}
    assert len(full.rows("orders")) == 2


def test_a_key_that_comes_twice_in_a_file_lands_once(full):
    full.write("orders.csv", ORDERS + "o1,c1,2026-11-02 09:00,11.00\n")

    full.bring()

    assert full.held_back() == {("orders.csv", 3, "duplicate_line")}
    assert ("o1", Decimal("10.00")) in full.rows("orders", "order_id", "total")


def test_a_stored_row_counts_as_duplicate_and_a_changed_one_is_held_back(full):
    full.bring()
    full.write("orders-next.csv", ORDERS.replace("4.50", "4.60") + "o3,c2,2026-11-04,1.00\n")

    results = full.bring("orders-next.csv")

    assert full.ledger(results) == {("orders-next.csv", "orders"): (3, 1, 1, 1)}
    assert full.held_back() == {("orders-next.csv", 2, "conflicts_with_stored")}
    assert len(full.rows("orders")) == 3


def test_one_till_file_feeds_lines_orders_and_customers(shop):
    shop.write("till.csv", TILL)

    results = shop.bring(mapping=TILL_MAPPING)

    assert shop.ledger(results) == {
        ("till.csv", "order_lines"): (3, 3, 0, 0),
        ("till.csv", "orders"): (2, 2, 0, 0),
        ("till.csv", "customers"): (2, 2, 0, 0),
    }
    assert shop.rows("orders", "order_id", "total") == [
        ("o1", Decimal("10.00")),
        ("o2", Decimal("4.50")),
    ]


def test_a_bad_line_is_held_back_once_and_its_order_is_the_sum_of_the_others(shop):
    shop.write("till.csv", TILL.replace("6.00", "six"))

    results = shop.bring(mapping=TILL_MAPPING)

    assert shop.ledger(results)["till.csv", "order_lines"] == (3, 2, 0, 1)
    assert shop.ledger(results)["till.csv", "orders"] == (2, 2, 0, 0)
    assert shop.rows("orders", "order_id", "total")[0] == ("o1", Decimal("4.00"))
    assert shop.held_back() == {("till.csv", 1, "wrong_type")}


def test_lines_of_one_order_that_disagree_with_its_first_are_held_back(shop):
    shop.write("till.csv", TILL + "o1,c2,p9,2026-11-02 09:00,1,1.00\n")

    results = shop.bring(mapping=TILL_MAPPING)

    assert shop.held_back() == {("till.csv", 4, "differs_within_key")}
    [row] = shop.rows("quarantine")
    assert (row["table"], row["column"], row["value"]) == ("orders", "who", "c2")
    assert shop.ledger(results)["till.csv", "orders"] == (3, 2, 0, 1)
    assert len(shop.rows("order_lines")) == 3


def test_a_file_that_overlaps_an_earlier_one_adds_only_what_is_new(shop):
    shop.write("till.csv", TILL)
    shop.write("till2.csv", TILL + "o3,c3,p1,2026-11-04 10:00,1,2.00\n")
    shop.bring("till.csv", mapping=TILL_MAPPING)

    results = shop.bring("till2.csv", mapping=TILL_MAPPING)

    assert shop.ledger(results) == {
        ("till2.csv", "order_lines"): (4, 1, 3, 0),
        ("till2.csv", "orders"): (3, 1, 2, 0),
        ("till2.csv", "customers"): (3, 1, 2, 0),
    }


def test_a_line_added_to_a_stored_order_is_held_back_with_the_order(shop):
    shop.write("till.csv", TILL)
    shop.write("till2.csv", TILL + "o2,c2,p2,2026-11-03 10:00,1,2.00\n")
    shop.bring("till.csv", mapping=TILL_MAPPING)

    results = shop.bring("till2.csv", mapping=TILL_MAPPING)

    assert shop.ledger(results)["till2.csv", "orders"] == (3, 0, 1, 2)
    assert shop.held_back() == {
        ("till2.csv", 3, "conflicts_with_stored"),
        ("till2.csv", 4, "conflicts_with_stored"),
    }
    assert sum(row[0] for row in shop.rows("order_lines", "sales")) == Decimal("14.50")
    assert sum(row[0] for row in shop.rows("orders", "total")) == Decimal("14.50")


def test_a_dry_run_shows_the_problems_and_writes_nothing(full):
    full.write("orders.csv", ORDERS.replace("4.50", "x"))

    results = full.bring(dry_run=True)

    [orders] = [r for r in results if r.table == "orders"]
    assert (orders.stored, orders.quarantined) == (1, 1)
    assert [(p.row, p.reason, p.value) for p in orders.problems] == [(2, "wrong_type", "x")]
    assert not (full.folder.parent / "lake").exists()


def test_parquet_lands_like_csv_and_its_floats_are_rounded_half_even(shop):
    table = pa.table({
        "order_id": [1, 2, 3],
        "customer_id": [7.0, 8.0, 9.0],
        "ordered_at": pa.array([0, 10**18, None], pa.timestamp("ns")),
        "total": [0.125, 0.135, 1.0],
    })
    pq.write_table(table, shop.folder / "orders.parquet")

    shop.bring()

    assert shop.rows("orders", "order_id", "customer_id", "total") == [
        ("1", "7", Decimal("0.12")),
        ("2", "8", Decimal("0.14")),
    ]
    assert shop.held_back() == {("orders.parquet", 3, "empty_required")}


def test_offers_and_consents_come_the_same_way(shop):
    shop.write("customers.csv", CUSTOMERS)
    shop.write(
        "offers.csv",
        "offer_id,name,family,discount_share,planned_cost,margin_floor,channels,stock\n"
        "ten,10 % off,percent_off,0.10,1.50,0.05,sms app,5000\n"
        "half,too much,percent_off,1.5,1,0,,\n",
    )
    shop.write(
        "consents.csv",
        "customer_id,purpose,channel,status,recorded_at\n"
        "c1,marketing,*,granted,2026-01-01T00:00:00+08:00\n"
        "c2,marketing,*,maybe,2026-01-01\n",
    )

    shop.bring()

    assert shop.rows("offers", "offer_id", "stock") == [("ten", 5000)]
    assert shop.rows("consents", "customer_id", "status") == [("c1", "granted")]
    assert shop.held_back() == {
        ("offers.csv", 2, "out_of_range"),
        ("consents.csv", 2, "unknown_value"),
    }


def test_the_ledger_row_tells_days_and_empty_share(full):
    full.bring()

    [row] = [r for r in full.rows("imports") if r["table"] == "order_lines"]

    assert (str(row["first_day"]), str(row["last_day"])) == ("2026-11-02", "2026-11-03")
    assert row["empty_share"] == pytest.approx(1.0)


def test_progress_ends_at_one_for_every_file(full):
    told = []

    full.bring(progress=lambda name, share: told.append((name, share)))

    shares = [share for name, share in told if name == "orders.csv"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("orders.csv", b"", "must be a heading"),
        ("orders.csv", "单号,客\n".encode("gbk"), "save the file as UTF-8"),
        ("orders.csv", b"a,a\n1,2\n", "names each column once"),
        ("orders.parquet", b"not parquet", "not readable Parquet"),
    ],
)
def test_an_unreadable_file_gives_a_sentence(shop, name, content, says):
    shop.write(name, content)

    with pytest.raises(InputError, match=says):
        shop.bring()


def test_a_missing_file_and_an_empty_folder_give_a_sentence(shop):
    with pytest.raises(InputError, match="there is no file .*check the path"):
        shop.bring("none.csv")
    with pytest.raises(InputError, match="holds no CSV, XLSX, JSON or Parquet file"):
        shop.bring()


def test_a_lake_that_cannot_be_written_gives_a_sentence(full):
    (full.folder.parent / "lake").write_text("in the way")

    with pytest.raises(OutsideError, match="free space and write permission"):
        full.bring()


def test_a_glob_names_files(full):
    results = full.bring("*s.csv")

    assert {r.file for r in results} == {
        "customers.csv",
        "order_lines.csv",
        "orders.csv",
        "products.csv",
    }
