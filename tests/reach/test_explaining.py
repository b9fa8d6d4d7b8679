"""Why somebody got something or did not: under every id he has had, at a cost that does not grow."""

import json
import sqlite3

import pytest

from regulars.reach.campaigns.running import service as running
from regulars.reach.delivery import Member, Run
from regulars.reach.delivery.accounts import service as accounts
from regulars.reach.delivery.service import enrol, tick
from regulars.reach.standing.gate import Gate
from regulars.records.identifiers import customer_id_of
from regulars.serve.sending.explaining import call, explain
from regulars.unify.identity import service as identity
from regulars.unify.identity.service import merge

COOKIE = customer_id_of("cookie", "a-1")
# What was asked, and phases of campaigns: neither grows with customers.
MAY_BE_READ_THROUGH = {"n", "json_each", "p"}
ON_BOTH = True


def send(shop, run, customer):
    shop.granted([customer])
    now = shop.turn().now
    enrol(shop.state, run, [Member(customer, "send", "chosen", channel="sms")], now=now)
    gate = Gate(shop.policy, zone=shop.zone)
    tick(shop.state, now=now, channels={"sms": shop.provider()}, gate=gate)


@pytest.mark.parametrize("asked", ["u1", COOKIE])
def test_what_was_sent_under_an_id_of_before_is_told_under_every_id(shop, asked):
    shop.run("INSERT INTO identifiers VALUES (:n, 'cookie', 'a-1', :n, 1, '', '', '', 0)",
             {"n": COOKIE})  # fmt: skip
    send(shop, Run("campaign/visit/all", "visit"), COOKIE)
    send(shop, Run("campaign/spring/all", "spring"), "u1")
    merge(shop.state, "u1", COOKIE, actor="wang", now=shop.turn().now)

    told = explain(shop.state, asked, zone=shop.zone)

    assert told.customer_id == "u1"
    assert {one.campaign: one.fate for one in told.attempts} == {"visit": "sent", "spring": "sent"}


@pytest.mark.parametrize(
    ("statements", "name"),
    [
        (accounts._SQL, "of_customer"),
        (running._SQL, "membership"),
        (identity._QUERIES, "owners"),
        (identity._QUERIES, "members"),
    ],
)
def test_no_table_that_grows_with_the_shop_is_read_through(empty_database, statements, name):
    values = {"customers": '["u1"]', "nodes": '["u1"]', "customer_id": "u1", "most": 100}
    opened = sqlite3.connect(empty_database)
    steps = [row[3] for row in opened.execute(f"EXPLAIN QUERY PLAN {statements[name]}", values)]
    opened.close()

    assert [s for s in steps if s.startswith("SEARCH")], json.dumps(steps)
    through = {step.split()[1] for step in steps if step.startswith("SCAN")}
    assert through <= MAY_BE_READ_THROUGH


def test_explaining_asks_no_statement_that_reads_every_id(shop):
    """Planted before: the ids of everybody were read to find those of one."""
    read = []

    class Watched:
        def __init__(self, opened):
            self._opened = opened

        def all(self, sql, /, **values):
            rows = self._opened.all(sql, **values)
            read.append(len(rows))
            return rows

    class State:
        def reading(self):
            return _watching(shop.state, Watched)

    rows = [{"n": f"n{k}", "c": f"c{k}", "o": k} for k in range(300)]
    shop.run("INSERT INTO identifiers VALUES (:n, 'cookie', :n, :c, :o, '', '', '', 0)", *rows)
    send(shop, Run("campaign/spring/all", "spring"), "c7")

    told = explain(State(), "c7", zone=shop.zone)

    assert [one.campaign for one in told.attempts] == ["spring"]
    assert max(read) <= 2


class _watching:
    def __init__(self, state, watched):
        self._opening, self._watched = state.reading(), watched

    def __enter__(self):
        return self._watched(self._opening.__enter__())

    def __exit__(self, *raised):
        return self._opening.__exit__(*raised)


CAMPAIGN = json.dumps({"id": "spring", "name": "春茶上市"})
JOURNEY = json.dumps({"id": "welcome", "name": "新客七日欢迎"})
OFFER = json.dumps({"offer_id": "off10", "name": "全单9折"})


def named(shop):
    shop.run("INSERT INTO campaigns VALUES ('spring', 'running', 2, NULL, NULL, '', 'w', :d, :d, :d)",
             {"d": "2026-03-02"})  # fmt: skip
    for version, definition in ((1, '{"name": "old"}'), (2, CAMPAIGN)):
        shop.run("INSERT INTO campaign_versions VALUES ('spring', :v, :said, 'h', 'w', '2026')",
                 {"v": version, "said": definition})  # fmt: skip
    shop.run("INSERT INTO journeys VALUES (1, 'welcome', 'running', 1, '', 'w', :d, :d)",
             {"d": "2026-03-02"})  # fmt: skip
    for version, definition in ((1, '{"name": "old"}'), (2, JOURNEY)):
        shop.run("INSERT INTO journey_versions "
                 "VALUES (1, :v, :said, 'h', '{}', 'w', '2026', NULL, NULL)",
                 {"v": version, "said": definition})  # fmt: skip
    for version, definition in ((1, '{"name": "old"}'), (2, OFFER)):
        shop.run("INSERT INTO offer_versions VALUES ('off10', :v, :said, '2026', 'w', '2026', '')",
                 {"v": version, "said": definition})  # fmt: skip


@pytest.mark.parametrize(
    ("told", "zh", "en", "page"),
    [
        ("turn/000012", "第 12 轮", "turn 12", "/campaigns?turn=12"),
        ("off10-012", "全单9折（第 12 轮）", "全单9折 (turn 12)", "/campaigns/off10-012"),
        ("campaign/spring/pilot", "春茶上市", "春茶上市", "/campaigns/written/spring"),
        ("trigger/spring", "春茶上市", "春茶上市", "/campaigns/written/spring"),
        ("spring", "春茶上市", "春茶上市", "/campaigns/written/spring"),
        ("journey/welcome", "新客七日欢迎", "新客七日欢迎", "/journeys/welcome"),
        ("gone", "gone", "gone", "/campaigns/written/gone"),
        ("gone-003", "gone（第 3 轮）", "gone (turn 3)", "/campaigns/gone-003"),
    ],
)
def test_what_contacts_customers_is_called_as_people_call_it(shop, told, zh, en, page):
    named(shop)

    found = call(shop.state, [told])[told]

    assert (found.zh, found.en, found.page) == (zh, en, page)


def test_a_sentence_names_campaign_channel_and_phase_and_no_code(shop):
    named(shop)
    send(shop, Run("campaign/spring/pilot", "spring"), "u1")

    [one] = explain(shop.state, "u1", zone=shop.zone).attempts

    assert "活动「春茶上市」（试点阶段） · 短信：已触达。原因：已交给渠道。" in one.zh
    assert (
        "campaign 春茶上市 (phase pilot) by SMS was sent: it was handed to the channel." in one.en
    )
    assert one.because_zh == "已交给渠道"
