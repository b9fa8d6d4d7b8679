"""A run or a turn killed anywhere loses nobody and reaches nobody twice."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from regulars.adapters.arrow_types import arrow_schema
from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.adapters.outbox import OutboxChannel
from regulars.reach.delivery import Pace
from regulars.reach.delivery.step import deliver
from regulars.reach.standing.gate import Gate
from regulars.records import TABLES
from regulars.testing import CrashingChannel, CrashingState, CrashPoints, Died

SCRIPT = Path(__file__).with_name("prove_ledger.py")
SOURCE = Path(__file__).parents[2] / "src"


def survey(**options):
    words = [f"--{name}={value}" for name, value in options.items()]
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def check_keyed(found):
    """0 lost, 0 duplicates, 0 unknown, however often and wherever the senders were killed."""
    for way in found["keyed"].values():
        assert (way["lost"], way["duplicates"], way["unknown"]) == (0, 0, 0)
        assert (way["open"], way["called_wrongly"]) == (0, 0)
    way = found["keyed"]["random"]
    assert way["sent"] == way["counted_against_cap"] == way["eligible"]


def check_unkeyed(found):
    """0 lost, 0 duplicates; who may have been missed is listed, at most a window per kill."""
    for way in found["unkeyed"].values():
        assert (way["lost"], way["duplicates"]) == (0, 0)
        assert (way["open"], way["called_wrongly"]) == (0, 0)
    way = found["unkeyed"]["random"]
    assert way["unknown"] <= way["kills"] * way["window"]
    assert way["sent"] + way["unknown"] == way["counted_against_cap"] == way["eligible"]


def prove():
    """100 kills x 100,000 recipients per kind of provider, on a file and on a server."""
    found = survey(kills=100, recipients=100_000, rounds=50)
    said = []
    for database, kinds in found.items():
        check_keyed(kinds)
        check_unkeyed(kinds)
        keyed, unkeyed = kinds["keyed"]["random"], kinds["unkeyed"]["random"]
        assert keyed["kills"] >= 90
        assert unkeyed["kills"] >= 90
        said.append(
            f"{database}, {keyed['workers']} senders: {keyed['kills']} + {unkeyed['kills']} kills "
            f"over 2 x {keyed['eligible']:,} recipients, 0 lost, 0 twice, {unkeyed['unknown']} "
            f"unknown without keys (at most {unkeyed['window']} per kill), each listed"
        )
    points = sum(found["sqlite"][kind]["rounds"]["points"] for kind in ("keyed", "unkeyed"))
    return "; ".join(said) + f"; {points:,} deaths at every crash point, 50 times each"


@pytest.fixture(scope="module")
def on_a_file():
    return survey(kills=5, recipients=1000, rounds=1, databases="sqlite")["sqlite"]


@pytest.fixture(scope="module")
def on_a_server(postgresql):
    return survey(kills=4, recipients=600, rounds=1, databases="postgresql")["postgresql"]


def test_a_keyed_provider_reaches_everybody_once(on_a_file):
    assert on_a_file["keyed"]["random"]["kills"] >= 1
    assert on_a_file["keyed"]["every_point"]["points"] >= 40
    check_keyed(on_a_file)


def test_a_provider_without_keys_reaches_nobody_twice_and_the_rest_is_listed(on_a_file):
    assert on_a_file["unkeyed"]["random"]["kills"] >= 3
    check_unkeyed(on_a_file)


def test_two_senders_on_a_server_keep_the_same_promises(on_a_server):
    assert on_a_server["unkeyed"]["random"]["kills"] >= 2
    check_keyed(on_a_server)
    check_unkeyed(on_a_server)


class Workspace:
    """The whole step over a real lake, engine, state store and outbox."""

    def __init__(self, shop):
        self.shop = shop
        self.lake = DeltaLake(shop.folder / "lake")
        self.engine = DuckDBEngine(self.lake, workers=1, memory="200MB")
        self.outbox = shop.folder / "outbox"
        shop.granted([f"c{number}" for number in range(9)])
        self.lake.append("offers", catalogue(), application="import 1")
        self.lake.overwrite_turn(
            "decisions", decisions(shop), application="decide", turn=shop.turn().number
        )

    def run(self, points, workers=1):
        channel = CrashingChannel(OutboxChannel(self.outbox), points)
        return deliver.run(
            CrashingEngine(self.engine.bound(deliver, 1), points),
            self.shop.turn(),
            state=CrashingState(self.shop.state, points),
            channels={"app": channel, "sms": channel},
            gate=Gate(self.shop.policy, zone=self.shop.zone),
            channel_costs={"app": Decimal("0.01"), "sms": Decimal("0.05")},
            pace=Pace(senders=workers),
        )

    def result(self):
        contacts = self.engine.rows(self.engine.table("contacts").order_by("customer_id"))
        return contacts, {path.name: path.read_bytes() for path in self.outbox.iterdir()}


class CrashingEngine:
    """The engine with a crash point before and after every write."""

    def __init__(self, engine, points):
        self._engine, self._points = engine, points

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def write(self, name, data, /):
        self._points.reach("before write")
        written = self._engine.write(name, data)
        self._points.reach("after write")
        return written


def decisions(shop):
    """Ten customers, every second by another channel, one of them not chosen."""
    empty = {"string": "", "float64": 0.0, "bool": False, "money": Decimal(0), "int64": 1}
    blank = {column.name: empty[column.type] for column in TABLES["decisions"].columns}
    rows = [
        blank
        | shop.decision(f"c{n}", "abstain" if n == 4 else "send")
        | ({} if n == 4 else {"channel": "sms" if n % 2 else "app"})
        for n in range(10)
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLES["decisions"]))


def catalogue():
    """One offer, for five customers in all."""
    offer = dict.fromkeys(TABLES["offers"].names) | {
        "offer_id": "ten_off",
        "name": "Ten off",
        "family": "money_off",
        "planned_cost": Decimal(2),
        "margin_floor": 0.1,
        "stock": 5,
    }
    return pa.Table.from_pylist([offer], schema=arrow_schema(TABLES["offers"]))


def die():
    raise Died


def test_the_whole_step_killed_anywhere_and_continued_gives_the_same_bytes(new_shop):
    calm = Workspace(new_shop())
    watched = CrashPoints(0, die)
    assert calm.run(watched) == 10
    expected = calm.result()
    # A transaction that did not commit left nothing: its statements need no death each.
    inside = {"before statement", "before commit"}
    moments = [n for n, name in enumerate(watched.passed, 1) if name not in inside]

    assert sorted((row["fate"], row["reason"]) for row in expected[0]) == sorted(
        [("sent", "handed_over")] * 5
        + [("skipped", "out_of_stock")] * 4
        + [("abstained", "negative_value")]
    )
    assert list(expected[1]) == ["contacts-1.parquet"]
    assert len(moments) >= 12
    for number in moments:
        killed = Workspace(new_shop())
        with pytest.raises(Died):
            killed.run(CrashPoints(number, die))
        killed.run(CrashPoints(0, die))
        assert killed.result() == expected


def test_the_whole_step_gives_the_same_bytes_at_two_senders_and_when_repeated(new_shop):
    one, two = Workspace(new_shop()), Workspace(new_shop())
    one.run(CrashPoints(0, die))
    two.run(CrashPoints(0, die), workers=2)
    two.run(CrashPoints(0, die), workers=2)

    assert one.result() == two.result()
