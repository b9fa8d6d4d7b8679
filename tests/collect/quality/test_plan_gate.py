"""Strict sources: what breaks the plan waits in quarantine, and passes once the plan is mended."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from tests.collect.drain.shop import ZONE, Shop, event

from regulars.collect.ingest.drain.partition import Inside
from regulars.collect.ingest.drain.reading.batch_rows import Rules
from regulars.collect.quality.plan import EventRule, Plan, PlanChecks, PropertyRule
from regulars.collect.quality.plan.model import SourceRule
from regulars.collect.quality.plan.service import PlanGate, adopt
from regulars.collect.tracking import normalise

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


class GatedShop(Shop):
    """A workspace whose drain asks the plan."""

    def inside(self, **gates):
        plain = super().inside(**gates)
        rules = Rules(ZONE, normalise, breaches=PlanGate(self.state))
        return Inside(rules, plain.gates, plain.sealing)

    def adopt(self, *, mode, price):
        rule = EventRule("seen", "browse", property={"price": PropertyRule(price, required=True)})
        plan = Plan({"Product Viewed": rule}, {"shop": SourceRule(mode)})
        adopt(self.state, plan, actor="ann", at=NOW)


@pytest.fixture
def shop(tmp_path):
    return GatedShop(tmp_path)


def test_a_strict_source_has_what_breaks_the_plan_held_back_and_the_rest_stored(shop):
    shop.adopt(mode="quarantine", price="number")
    shop.send(
        event(1), event(2, properties={"price": "9.90"}), event(3, event="Unheard Of"), b"{broken"
    )

    shop.drain()

    assert shop.rows("events", "message_id") == [("m1",), ("m3",)]
    held = shop.rows("refused_events", "message_id", "reason", "path", "detail")
    assert ("m2", "breaks_plan", "properties.price", "found string; wanted number") in held
    assert len(held) == 2


def test_another_source_is_only_observed(shop):
    shop.adopt(mode="quarantine", price="number")
    shop.send(event(1, properties={"price": "9.90"}), source="web")

    shop.drain()

    assert shop.rows("events", "message_id") == [("m1",)]


def test_observing_holds_nothing_back(shop):
    shop.adopt(mode="observe", price="number")
    shop.send(event(1, properties={"price": "9.90"}))

    shop.drain()

    assert shop.rows("events", "message_id") == [("m1",)]


def test_a_plan_adopted_later_is_asked_from_the_next_batch_on(shop):
    gate = PlanGate(shop.state)
    shop.adopt(mode="quarantine", price="number")
    rows = {
        "source": ["shop"],
        "payload": ['{"type":"track","event":"Product Viewed","properties":{"price":"1"}}'],
    }

    first = gate(pa.table(rows))
    shop.adopt(mode="quarantine", price="string")

    assert first == {0: ("properties.price", "found string; wanted number")}
    assert gate(pa.table(rows)) == {}


def test_a_token_that_stands_for_a_phone_number_has_no_form_to_judge():
    plan = Plan({
        "A": EventRule(
            "", "", property={"phone": PropertyRule(pattern=r"^1\d{10}$", required=True)}
        )
    })
    checks = PlanChecks(plan)

    def faults(phone):
        return [
            v.rule
            for v in checks.check({"type": "track", "event": "A", "properties": {"phone": phone}})
        ]

    assert faults("tok_phone_" + "0" * 32) == []
    assert (faults("123"), faults("13800138000")) == (["pattern"], [])
