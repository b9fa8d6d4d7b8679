"""The channel matrix: shrinkage against known truth, intervals, overrides, and a real lake."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from regulars.adapters.arrow_types import cast_to
from regulars.app import open_app
from regulars.decide.channels.capability import Counts, capabilities, of_customer
from regulars.decide.channels.service import Override, for_customer, matrix, override, restore
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import newest
from regulars.records import TABLES

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
STAGES = ("new", "active", "cooling", "sleeping")


def simulated(seed):
    """Counts of channels whose stages differ a little, and their true rates of engaging."""
    draw, counts, truth = np.random.default_rng(seed), {}, {}
    for channel in ("sms", "email", "app"):
        middle = draw.uniform(0.1, 0.5)
        for stage in STAGES:
            rate = float(np.clip(draw.normal(middle, 0.04), 0.01, 0.9))
            sent = int(draw.choice([15, 60, 400, 4_000]))
            truth[channel, stage] = rate
            engaged = int(draw.binomial(sent, rate))
            counts[channel, stage] = Counts(sent, sent, sent, engaged, 0, 0.05 * sent)
    return counts, truth


def test_intervals_hold_the_truth_and_shrinking_is_nearer_to_it():
    inside, ours, raw = [], [], []
    for seed in range(8):
        counts, truth = simulated(seed)
        for one in capabilities(counts):
            rate, real = one.rates["engage"], truth[one.channel, one.stage]
            seen = counts[one.channel, one.stage]
            inside.append(rate.low <= real <= rate.high)
            ours.append(rate.value - real)
            raw.append(seen.engaged / seen.sent - real)

    assert 0.82 <= np.mean(inside) <= 0.97
    assert np.square(ours).mean() < 0.6 * np.square(raw).mean()


def test_two_contacts_change_little_and_two_thousand_decide():
    counts = {
        ("sms", "active"): Counts(2_000, 2_000, 1_980, 600, 100, 100.0),
        ("sms", "new"): Counts(2, 2, 2, 2, 2, 0.1),
        ("app", "active"): Counts(2_000, 2_000, 2_000, 200, 40, 20.0),
    }

    found = {(one.channel, one.stage): one.rates for one in capabilities(counts)}

    assert found["sms", "active"]["engage"].value == pytest.approx(0.3, abs=0.01)
    assert found["sms", "new"]["engage"].value < 0.4
    assert found["sms", "new"]["cost"].value == pytest.approx(0.05)
    width = [
        found["sms", s]["engage"].high - found["sms", s]["engage"].low for s in ("new", "active")
    ]
    assert width[0] > 3 * width[1]


def test_a_customers_own_contacts_move_her_rates_and_none_leave_those_of_her_stage():
    [stage] = capabilities({("sms", "active"): Counts(1_000, 1_000, 990, 300, 50, 50.0)})

    hers = of_customer({"sms": Counts(10, 10, 10, 10, 0, 0.5)}, [stage])[0]
    nobodys = of_customer({}, [stage])[0]

    assert hers.rates["engage"].value > 0.5
    assert nobodys.rates["engage"].value == pytest.approx(stage.rates["engage"].value)


@pytest.fixture
def shop(tmp_path):
    """Give a workspace with one turn of contacts: half engaged, a tenth bounced, a third bought."""
    (tmp_path / "regulars.toml").write_text('[channels.sms]\ncost = "0.05"\n')
    app, size = open_app(tmp_path), 60
    ids = [f"c{n:02}" for n in range(size)]

    def put(name, columns, *, turn=None):
        table = TABLES[name]
        neutral = {"int64": 0, "float64": 0.0, "string": "", "bool": False, "money": Decimal(0)}
        length = len(next(iter(columns.values())))
        for column in table.columns:
            if column.name not in columns and column.name != "turn":
                value = neutral.get(column.type) if column.required else None
                columns[column.name] = [value] * length
        data = pa.table({name: pa.array(values) for name, values in columns.items()})
        if turn is None:
            app.lake.append(name, cast_to(table, data), application="t", version=1)
        else:
            rows = cast_to(table, data, turn=turn)
            app.lake.overwrite_turn(name, rows, application="t", turn=turn)

    put("profiles", {"customer_id": ids, "as_of": [date(2026, 2, 22)] * size,
                     "days_known": [400 if n % 2 else 3 for n in range(size)],
                     "orders": [5] * size}, turn=1)  # fmt: skip
    put("customer_values", {"customer_id": ids, "activity_tier": ["active"] * size}, turn=1)
    put("contacts", {"key": ids, "customer_id": ids, "channel": ["sms"] * size,
                     "cost": [Decimal("0.05")] * size, "fate": ["sent"] * size}, turn=1)  # fmt: skip
    told = [(n, "clicked") for n in range(0, size, 2)] + [
        (n, "bounced") for n in range(1, size, 10)
    ]
    put("contact_outcomes", {"contact_key": [ids[n] for n, _ in told],
                             "customer_id": [ids[n] for n, _ in told],
                             "kind": [kind for _, kind in told],
                             "occurred_at": [NOW] * len(told)})  # fmt: skip
    bought = ids[::3]
    days = [date(2026, 2, 22) + timedelta(days=1 + n % 9) for n in range(len(bought))]
    put("orders", {"order_id": bought, "customer_id": bought, "business_date": days,
                   "ordered_at": [NOW] * len(bought), "total": [Decimal(9)] * len(bought)})  # fmt: skip
    return open_app(tmp_path)


def test_the_matrix_counts_what_came_of_each_contact_in_the_stage_the_customer_was_in(shop):
    found = {one.stage: one for one in matrix(shop.engine, shop.state, window_days=7, now=NOW)}

    assert {stage: one.sent for stage, one in found.items()} == {"new": 30, "active": 30}
    assert found["new"].rates["engage"].value > 0.6 > 0.4 > found["active"].rates["engage"].value
    assert found["active"].rates["reach"].value < found["new"].rates["reach"].value < 1
    within = 16 / 60
    assert found["new"].rates["convert"].value == pytest.approx(within, abs=0.08)
    assert found["new"].rates["cost"].value == pytest.approx(0.05)


def test_an_override_holds_until_it_ends_and_is_told_with_who_and_why(shop):
    said = Override("sms", "*", "engage", 0.9, "new sender", "ann", None)
    override(shop.state, said, channels=["sms"], now=NOW, until=NOW + timedelta(days=3))
    override(
        shop.state, Override("sms", "new", "engage", 0.7, "greets", "bob", None),
        channels=["sms"], now=NOW,
    )  # fmt: skip

    def engage(moment):
        found = matrix(shop.engine, shop.state, window_days=7, now=moment)
        return {one.stage: one.rates["engage"] for one in found}

    now, later = engage(NOW), engage(NOW + timedelta(days=4))
    assert (now["active"].value, now["active"].why) == (0.9, "ann: new sender")
    assert now["new"].value == later["new"].value == 0.7
    assert later["active"].value < 0.5
    assert newest(shop.state)[0].action == "channel.override"
    assert restore(shop.state, "sms", "new", "engage", actor="ann", now=NOW)
    assert not restore(shop.state, "sms", "new", "engage", actor="ann", now=NOW)


def test_one_customer_is_shown_her_own_and_a_stranger_the_channel(shop):
    hers = for_customer(shop.engine, shop.state, "c01", window_days=7, now=NOW)
    strangers = for_customer(shop.engine, shop.state, "nobody", window_days=7, now=NOW)

    assert [(one.channel, one.stage, one.sent) for one in hers] == [("sms", "active", 1)]
    assert [(one.channel, one.sent) for one in strangers] == [("sms", 0)]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"channel": "pigeon"}, UnknownName),
        ({"measure": "love"}, UnknownName),
        ({"value": 1.5}, InputError),
        ({"why": " "}, InputError),
    ],
)
def test_an_override_without_sense_is_refused(shop, change, error):
    given = {"channel": "sms", "stage": "*", "measure": "reach", "value": 0.5, "why": "x"} | change

    with pytest.raises(error):
        override(shop.state, Override(**given, actor="ann", until=None), channels=["sms"], now=NOW)
