"""A file with 1 % rubbish: exactly the rubbish is held back, everything else lands."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ORDERS, PER_ORDER = 1500, 3
HEADING = "order_id,line_id,customer_id,product_id,business_date,quantity,sales,retail_discount"


def clean_lines(orders=ORDERS):
    return [
        f"o{o:05},{n},c{o % 40},p{(o + n) % 25},2026-10-{1 + o % 28:02},{1 + n},{3 + n}.{o % 90 + 10},"
        for o in range(orders)
        for n in range(PER_ORDER)
    ]


def with_cell(line, at, value):
    cells = line.split(",")
    cells[at] = value
    return ",".join(cells)


RUBBISH = {
    "wrong number": (lambda line: with_cell(line, 6, "twelve"), "wrong_type"),
    "wrong day": (lambda line: with_cell(line, 4, "2026-13-45"), "wrong_type"),
    "unknown customer": (lambda line: with_cell(line, 2, "c99999"), "unknown_id"),
    "unknown product": (lambda line: with_cell(line, 3, "p-none"), "unknown_id"),
    "unknown order": (lambda line: with_cell(line, 0, "o-none"), "unknown_id"),
    "negative quantity": (lambda line: with_cell(line, 5, "-2"), "out_of_range"),
    "no quantity": (lambda line: with_cell(line, 5, "0"), "out_of_range"),
    "negative money": (lambda line: with_cell(line, 6, "-0.01"), "out_of_range"),
    "nan": (lambda line: with_cell(line, 6, "NaN"), "not_a_number"),
    "nan where it may be empty": (lambda line: with_cell(line, 7, "nan"), "not_a_number"),
    "infinity": (lambda line: with_cell(line, 6, "inf"), "not_a_number"),
    "empty id": (lambda line: with_cell(line, 2, ""), "empty_required"),
    "empty number": (lambda line: with_cell(line, 6, "  "), "empty_required"),
    "too few fields": (lambda line: line.rpartition(",")[0], "wrong_field_count"),
    "too many fields": (lambda line: line + ",9", "wrong_field_count"),
    "open quote": (lambda line: with_cell(line, 3, '"p1'), "open_quote"),
    "too much money": (lambda line: with_cell(line, 6, "9" * 20), "out_of_range"),
}


def plant(lines, share, seed):
    """Replace rows by rubbish; gives the bytes, and the reason by row number."""
    rng = np.random.default_rng(seed)
    kinds = sorted(RUBBISH)
    chosen = rng.choice(len(lines) - 1, size=max(1, int(share * len(lines))), replace=False)
    data, planted = [line.encode() for line in lines], {}
    for number, at in enumerate(sorted(chosen.tolist())):
        if number % (len(kinds) + 1) == len(kinds):
            data[at] = lines[at].replace("c", "客").encode("gbk")
            planted[at + 1] = "bad_encoding"
            continue
        change, reason = RUBBISH[kinds[number % (len(kinds) + 1)]]
        data[at] = change(lines[at]).encode()
        planted[at + 1] = reason
    good = [n for n in range(len(lines) - 1) if n + 1 not in planted]
    for copy in good[:: max(1, len(good) // 5)]:
        data.append(lines[copy].encode())
        planted[len(data)] = "duplicate_line"
    data.append(lines[-1][: len(lines[-1]) // 2].encode())
    planted[len(data)] = "truncated_row"
    return HEADING.encode() + b"\n" + b"\n".join(data), planted


def known(shop, orders):
    shop.write("customers.csv", "customer_id\n" + "\n".join(f"c{n}" for n in range(40)))
    shop.write("products.csv", "product_id\n" + "\n".join(f"p{n}" for n in range(25)))
    rows = [f"o{n:05},c{n % 40},2026-10-01,1" for n in range(orders)]
    shop.write("orders.csv", "order_id,customer_id,ordered_at,total\n" + "\n".join(rows))


def test_exactly_the_rubbish_is_held_back_and_all_the_rest_lands(shop):
    lines = clean_lines()
    data, planted = plant(lines, 0.01, seed=7)
    known(shop, ORDERS)
    shop.write("order_lines.csv", data)

    results = shop.bring()

    found = {(r["row"], r["reason"]) for r in shop.rows("quarantine")}
    assert found == set(planted.items())
    assert {*planted.values()} == {reason for _, reason in RUBBISH.values()} | {
        "bad_encoding", "duplicate_line", "truncated_row"
    }  # fmt: skip
    rows = data.count(b"\n")
    assert shop.ledger(results)["order_lines.csv", "order_lines"] == (
        rows, rows - len(planted), 0, len(planted)
    )  # fmt: skip
    expected = {tuple(line.split(",")[:2]) for n, line in enumerate(lines) if n + 1 not in planted}
    assert set(shop.rows("order_lines", "order_id", "line_id")) == expected


def test_every_kind_of_rubbish_is_told_with_the_value_and_the_row_as_read(shop):
    known(shop, 20)
    lines = clean_lines(20)
    for at, kind in enumerate(sorted(RUBBISH)):
        lines[at] = RUBBISH[kind][0](lines[at])
    shop.write("order_lines.csv", HEADING + "\n" + "\n".join(lines) + "\n")

    shop.bring()

    rows = sorted(shop.rows("quarantine"), key=lambda row: row["row"])
    assert [row["raw"] for row in rows] == lines[: len(RUBBISH)]
    assert [row["reason"] for row in rows] == [RUBBISH[kind][1] for kind in sorted(RUBBISH)]
    cells = [(row["column"], row["value"]) for row in rows]
    assert ("sales", "twelve") in cells
    assert ("quantity", "-2") in cells


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 10**6), share=st.floats(0.0, 0.6), overlap=st.integers(0, 30))
def test_received_is_always_stored_and_duplicate_and_quarantined(
    tmp_path_factory, shop, seed, share, overlap
):
    shop = type(shop)(tmp_path_factory.mktemp("shop"))
    lines = clean_lines(30)
    known(shop, 30)
    shop.write("order_lines-1.csv", HEADING + "\n" + "\n".join(lines[:overlap]) + "\n")
    data, planted = plant(lines, share, seed)
    shop.write("order_lines-2.csv", data)

    results = shop.bring()

    for r in results:
        assert r.received == r.stored + r.duplicate + r.quarantined
    received = sum(r.received for r in results if r.table == "order_lines")
    assert received == overlap + data.count(b"\n")
    assert shop.table("order_lines").num_rows == sum(
        r.stored for r in results if r.table == "order_lines"
    )
    assert shop.table("quarantine").num_rows == sum(r.quarantined for r in results) == len(planted)
    keys = shop.rows("order_lines", "order_id", "line_id")
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_clean_file_and_a_file_of_nothing_but_rubbish_close_too(shop, share):
    known(shop, 30)
    lines = clean_lines(30)
    if share:
        lines = [with_cell(line, 5, "-1") for line in lines]
    shop.write("order_lines.csv", HEADING + "\n" + "\n".join(lines) + "\n")

    results = shop.bring()

    stored = 0 if share else len(lines)
    assert shop.ledger(results)["order_lines.csv", "order_lines"] == (
        len(lines), stored, 0, len(lines) - stored
    )  # fmt: skip
