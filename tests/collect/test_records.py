"""Workbooks and JSON bring the same rows as CSV does."""

import json
from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from regulars.errors import InputError

HEADING = ("order_id", "customer_id", "store_id", "ordered_at", "total")
ROWS = [
    ("o1", "u1", "s1", datetime(2026, 11, 2, 9, 30), 12.5),
    ("o2", "007", None, datetime(2026, 11, 3), 3),
    ("o3", "u1", "s1", datetime(2026, 11, 3, 23, 59, 59), 0.1),
]


@pytest.fixture
def shop(new_shop, tmp_path):
    return new_shop(tmp_path)


def workbook(path, rows=ROWS, heading=HEADING):
    book = Workbook()
    for row in (heading, *rows):
        book.active.append(row)
    book.save(path)


def orders(shop):
    return shop.rows("orders", "order_id", "customer_id", "business_date", "total")


def test_every_kind_of_file_gives_the_same_rows(new_shop, tmp_path):
    shops = {name: new_shop(tmp_path / name) for name in ("csv", "xlsx", "json", "ndjson")}
    plain = [dict(zip(HEADING, row, strict=True)) for row in ROWS]
    text = [{name: str(v) if v is not None else None for name, v in row.items()} for row in plain]
    lines = [",".join(HEADING), *(",".join(v or "" for v in row.values()) for row in text)]
    shops["csv"].write("orders.csv", "\n".join(lines) + "\n")
    workbook(shops["xlsx"].folder / "orders.xlsx", [*ROWS[:1], (None,) * 5, *ROWS[1:]])
    shops["json"].write("orders.json", json.dumps({"page": 1, "data": text}))
    shops["ndjson"].write("orders.ndjson", "\n".join(json.dumps(row) for row in text) + "\n")

    ledgers = [[(r.received, r.stored) for r in shop.bring()] for shop in shops.values()]

    assert ledgers == [[(3, 3)]] * 4
    assert len({repr(orders(shop)) for shop in shops.values()}) == 1
    assert orders(shops["xlsx"])[1][1:3] == ("007", date(2026, 11, 3))


def test_objects_inside_objects_are_columns_and_bad_lines_are_told_apart(shop):
    good = {"id": "o1", "buyer": {"id": "u1"}, "at": "2026-11-02 10:00", "paid": 19.99}
    shop.write(
        "day.jsonl", "\n".join([json.dumps(good), "{", "[1]", json.dumps(good | {"paid": "x"})])
    )
    mapping = """
    [[file]]
    match = "*.jsonl"
    [file.orders]
    order_id = "id"
    customer_id = "buyer.id"
    ordered_at = "at"
    total = "paid"
    """

    shop.bring(mapping=mapping)

    assert [str(row[3]) for row in orders(shop)] == ["19.99"]
    assert shop.held_back() == {
        ("day.jsonl", 2, "wrong_type"), ("day.jsonl", 3, "wrong_type"), ("day.jsonl", 4, "wrong_type"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("orders.xlsx", b"PK no", "no readable .xlsx"),
        ("orders.json", b"{", "not readable JSON"),
        ("orders.json", b"[]", "holds no JSON objects"),
        ("orders.json", b"\xff\xfe", "not readable JSON"),
        ("orders.ndjson", b"\n", "holds no JSON objects"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says_is_refused(shop, name, content, message):
    shop.write(name, content)

    with pytest.raises(InputError, match=message):
        shop.bring()


def test_a_workbook_without_a_heading_is_refused(shop):
    workbook(shop.folder / "orders.xlsx", heading=("a", "a", "b", "c", "d"))

    with pytest.raises(InputError, match="names each column once"):
        shop.bring()


def test_half_a_character_and_u0000_are_no_text(shop):
    shop.write(
        "stores.json", '[{"store_id": "s1"}, {"store_id": "\\ud800"}, {"store_id": "s\\u0000"}]'
    )

    shop.bring()

    assert shop.rows("stores", "store_id") == [("s1",)]
    assert shop.held_back() == {
        ("stores.json", 2, "bad_encoding"), ("stores.json", 3, "bad_encoding")
    }  # fmt: skip


def test_a_column_of_lists_is_refused_with_what_to_do(shop):
    pq.write_table(pa.table({"store_id": [["s1"], ["s2"]]}), shop.folder / "stores.parquet")

    with pytest.raises(InputError, match="store_id takes single values; export it as plain"):
        shop.bring()
