"""A retailer that is not ours follows the how-to, command by command as it is written there."""

import csv
import random
import re
import shlex
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from regulars.serve.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "own-retailer.md"
MAPPING = "".join(
    f'[[file]]\nmatch = "{name}*.csv"\ntable = "{name}"\n\n'
    for name in ("customers", "products", "orders", "order_lines", "consents", "offers")
)


def commands():
    """The commands of the page, in order; serving the console would never end."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.split("\n") if line]
    return [shlex.split(line)[1:] for line in lines if "regulars serve" not in line]


def offers():
    """The offers the page shows."""
    return re.search(r"^```text\n(offer_id.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)[1]


def write(folder, name, head, rows):
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head.split(), *rows])


def export_a_shop(folder, customers=150):
    """Nine months of a small shop, as its till would export them."""
    draw = random.Random(3)
    folder.mkdir()
    ids = [f"c{number:03d}" for number in range(customers)]
    orders, lines = [], []
    for customer in ids:
        day = date(2026, 3, 1) + timedelta(days=draw.randrange(60))
        while day <= date(2026, 11, 22):
            number = f"o{len(orders)}"
            paid = [f"{draw.uniform(5, 40):.2f}" for _ in range(draw.randrange(1, 4))]
            lines += [
                [number, n, customer, f"p{draw.randrange(9)}", day, 1, sales]
                for n, sales in enumerate(paid)
            ]
            orders.append([number, customer, f"{day}T12:00:00", f"{sum(map(float, paid)):.2f}"])
            day += timedelta(days=1 + int(draw.expovariate(1 / 14)))
    write(folder, "customers.csv", "customer_id name", [[c, f"王{c}"] for c in ids])
    write(
        folder,
        "products.csv",
        "product_id category unit_cost",
        [[f"p{n}", f"k{n % 3}", "6.00"] for n in range(9)],
    )
    write(folder, "orders-2026.csv", "order_id customer_id ordered_at total", orders)
    write(
        folder,
        "order_lines-2026.csv",
        "order_id line_id customer_id product_id business_date quantity sales",
        lines,
    )
    consents = [[c, "marketing", "*", "granted", "2026-03-01T00:00:00+08:00"] for c in ids[:120]]
    write(folder, "consents.csv", "customer_id purpose channel status recorded_at", consents)
    return set(ids[:120])


def run(words):
    with pytest.raises(SystemExit) as ended:
        main(words)
    return ended.value.code


def test_the_how_to_turns_the_loop_on_files_of_anybody(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    allowed = export_a_shop(tmp_path / "exports")
    (tmp_path / "mapping.toml").write_text(MAPPING, "utf-8")

    for words in commands():
        assert run(words) == 0, f"{words}: {capsys.readouterr()}"
        if words[0] == "init":
            (tmp_path / "shop" / "offers.csv").write_text(offers(), "utf-8")

    contacts = pq.read_table(tmp_path / "shop" / "outbox" / "contacts-1.parquet")
    told = re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.M)
    assert contacts.column_names == told
    reached = contacts["customer_id"].to_pylist()
    assert 0 < len(reached) == len(set(reached))
    assert set(reached) <= allowed
