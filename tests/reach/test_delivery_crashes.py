"""A turn killed anywhere loses nobody and reaches nobody twice; planted bugs do, and are caught."""

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
from regulars.reach.delivery.step import deliver
from regulars.records import TABLES
from regulars.testing import CrashingChannel, CrashingState, CrashPoints, Died

SCRIPT = Path(__file__).with_name("prove_delivery.py")
SOURCE = Path(__file__).parents[2] / "src"


def survey(kills, recipients, seed):
    words = ["--kills", kills, "--recipients", recipients, "--seed", seed]
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, words)],
        env={"PYTHONPATH": str(SOURCE), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def check_keyed(found):
    """0 lost, 0 duplicates, 0 unknown, however often and wherever the turn was killed."""
    for way in found["keyed"].values():
        assert (way["lost"], way["duplicates"], way["unknown"]) == (0, 0, 0)
    assert found["keyed"]["random"]["sent"] == found["keyed"]["random"]["eligible"]
    assert found["keyed"]["random"]["counted_against_cap"] == found["keyed"]["random"]["eligible"]


def check_unkeyed(found):
    """0 duplicates; who may have been missed is listed, at most a batch per sender and kill."""
    way = found["unkeyed"]["random"]
    assert (way["lost"], way["duplicates"]) == (0, 0)
    assert way["unknown"] <= way["kills"] * way["window"] * way["senders"]
    points = found["unkeyed"]["every_point"]
    assert (points["lost"], points["duplicates"]) == (0, 0)


def check_planted_bugs(found):
    """A suite that lets these pass would prove nothing."""
    assert found["bug_random_keys"]["every_point"]["duplicates"] > 0
    assert found["bug_confirm_first"]["every_point"]["lost"] > 0


def prove():
    """100 kills x 100,000 recipients per design, and every enumerated crash point."""
    found = survey(100, 100_000, 7)
    check_keyed(found)
    check_unkeyed(found)
    check_planted_bugs(found)
    keyed, unkeyed = found["keyed"], found["unkeyed"]
    return (
        f"{keyed['random']['kills']} kills x {keyed['random']['eligible']:,} recipients and "
        f"{keyed['every_point']['points']} crash points: keyed provider {keyed['random']['lost']} "
        f"lost, {keyed['random']['duplicates']} duplicate; without keys "
        f"{unkeyed['random']['duplicates']} duplicate, {unkeyed['random']['unknown']} unknown "
        f"(at most {unkeyed['random']['window'] * unkeyed['random']['senders']} per kill), all listed"
    )


@pytest.fixture(scope="module")
def found():
    return survey(5, 1000, 7)


def test_a_keyed_provider_reaches_everybody_once(found):
    assert found["keyed"]["random"]["kills"] >= 4
    assert found["keyed"]["every_point"]["points"] >= 40
    check_keyed(found)


def test_a_provider_without_keys_reaches_nobody_twice_and_the_rest_is_listed(found):
    assert found["unkeyed"]["random"]["kills"] >= 4
    check_unkeyed(found)


def test_planted_bugs_are_caught(found):
    check_planted_bugs(found)


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
            policy=self.shop.policy,
            zone=self.shop.zone,
            channel_costs={"app": Decimal("0.01"), "sms": Decimal("0.05")},
            workers=workers,
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
