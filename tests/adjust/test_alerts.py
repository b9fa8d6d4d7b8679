"""Channels are watched against their own past, and left alone when they break, within guardrails."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.adjust.alerts import step
from regulars.adjust.alerts.holding import Guardrails, Hold, Word, hold_channels
from regulars.adjust.alerts.laney_chart import laney_chart
from regulars.adjust.alerts.levels import individuals_chart
from regulars.adjust.alerts.service import (
    alert_tasks,
    ask_people,
    say,
    seen,
    take_back,
    words_of,
)
from regulars.adjust.alerts.watching import EVERY, Gravity, Kind, alerts_of, effect_alert
from regulars.adjust.autotune.spend_share import Readout
from regulars.errors import InputError, UnknownName

NOW = datetime(2026, 3, 2, tzinfo=UTC)
RAILS = Guardrails()


def counts(turn, channel="sms", **changed):
    usual = {
        "sent": 1000,
        "failed": 10,
        "delivered": 990,
        "opened": 450,
        "opted_out": 4,
        "cost": 50,
    }
    return {"turn": turn, "channel": channel} | usual | changed


def judged(*rows, turn=None, known=()):
    past = [counts(n, opened=450 + 5 * (n % 3)) for n in range(1, 9)]
    return alerts_of([*past, *rows], turn or 9, known=known)


def test_limits_are_those_of_a_p_chart_where_shares_move_by_chance_alone():
    place = laney_chart([50, 50, 50, 50, 80], [1000] * 5)

    usual = 200.5 / 4001
    width = np.sqrt(usual * (1 - usual) / 1000)
    assert place.usual == pytest.approx(usual)
    assert place.high == pytest.approx(usual + 3 * width)
    assert place.z == pytest.approx((0.08 - usual) / width)


def test_limits_are_as_wide_as_shares_have_moved():
    hits, tried = [400, 480, 410, 490, 420], [1000] * 5

    place = laney_chart(hits, tried)

    usual = (sum(hits[:4]) + 0.5) / 4001
    sigma = np.sqrt(usual * (1 - usual) / 1000)
    scores = [(h / 1000 - usual) / sigma for h in hits[:4]]
    moving = np.mean(np.abs(np.diff(scores))) / 1.128
    assert moving > 3
    assert place.high - place.usual == pytest.approx(3 * moving * sigma)
    assert not place.is_out


def test_a_channel_whose_shares_move_by_themselves_seldom_raises_a_false_alarm():
    random = np.random.default_rng(5)
    out = plain = 0
    for _ in range(2000):
        shares = np.clip(random.normal(0.45, 0.03, 13), 0, 1)
        hits = random.binomial(3000, shares)
        place = laney_chart(hits, [3000] * 13)
        binomial = np.sqrt(place.usual * (1 - place.usual) / 3000)
        out += place.is_out
        plain += abs(place.share - place.usual) > 3 * binomial

    assert out / 2000 < 0.03
    assert plain / 2000 > 0.3


def test_a_channel_that_breaks_is_seen_and_one_that_varies_is_not():
    [alert] = judged(counts(9, opened=20))
    assert (alert.kind, alert.gravity) == (Kind.OPENED, Gravity.BROKEN)
    assert judged(counts(9, opened=440)) == []


@pytest.mark.parametrize(
    ("changed", "kind", "gravity"),
    [
        ({"delivered": 300}, Kind.DELIVERED, Gravity.BROKEN),
        ({"delivered": 700}, Kind.DELIVERED, Gravity.WORSE),
        ({"opted_out": 60}, Kind.OPTED_OUT, Gravity.BROKEN),
        ({"failed": 300}, Kind.FAILED, Gravity.BROKEN),
        ({"opened": 700}, Kind.OPENED, Gravity.BETTER),
        ({"cost": 60}, Kind.COST, Gravity.WORSE),
        ({"cost": 110}, Kind.COST, Gravity.BROKEN),
        ({"cost": 30}, Kind.COST, Gravity.BETTER),
    ],
)
def test_every_share_is_watched_in_its_own_direction(changed, kind, gravity):
    [alert] = judged(counts(9, **changed))

    assert (alert.kind, alert.gravity, alert.channel) == (kind, gravity, "sms")


def test_a_small_change_that_thousands_of_contacts_prove_is_no_alert():
    past = [
        counts(n, sent=100_000, delivered=99_000, opened=45_000, opted_out=400, failed=900)
        for n in range(1, 9)
    ]
    now = counts(9, sent=100_000, delivered=97_000, opened=45_000, opted_out=400, failed=900)

    assert alerts_of([*past, now], 9, known=()) == []


def test_turns_that_were_strange_are_no_past_to_go_by():
    broken = counts(9, opened=20)

    assert judged(broken, counts(10, opened=20), turn=10, known=[("sms", "opened", 9)]) != []
    assert len(judged(broken, counts(10), turn=10, known=[("sms", "opened", 9)])) == 0


def test_a_channel_hardly_used_or_new_is_not_judged():
    assert judged(counts(9, sent=20, opened=0, delivered=0, failed=0)) == []
    assert alerts_of([counts(n) for n in (1, 2, 3)] + [counts(4, opened=0)], 4, known=()) == []


def test_a_cost_that_moves_by_itself_is_judged_by_how_much_it_does():
    moving = [counts(n, cost=50 + 8 * (-1) ** n) for n in range(1, 9)]

    assert alerts_of([*moving, counts(9, cost=62)], 9, known=()) == []
    assert individuals_chart([0.04, 0.06, 0.04, 0.06, 0.05]).high == pytest.approx(
        0.05 + 3 * 0.02 / 1.128
    )


def effects(*estimates, treated=1000, error=200.0):
    return [
        Readout(turn, treated, estimate, error, 50.0)
        for turn, estimate in enumerate(estimates, start=1)
    ]


@pytest.mark.parametrize(
    ("newest", "gravity"), [(-400.0, Gravity.BROKEN), (700.0, None), (2600.0, Gravity.BETTER)]
)
def test_what_contacts_cause_is_watched_against_its_own_past(newest, gravity):
    alert = effect_alert(effects(1000, 1200, 900, 1100, 950, newest), 6, known=())

    assert (alert and alert.gravity) == gravity
    if alert:
        assert (alert.channel, alert.kind, alert.tried) == (EVERY, Kind.EFFECT, 1000)


def test_an_effect_without_enough_past_or_from_few_or_told_before_is_no_alert():
    gone = effects(1000, 1200, 900, 1100, 950, -400)

    assert effect_alert(gone[2:], 6, known=()) is None
    assert effect_alert(effects(9, 9, 9, 9, 9, -900, treated=20, error=1.0), 6, known=()) is None
    assert effect_alert(gone, 6, known=[(EVERY, "effect", 6)]) is None
    assert effect_alert(gone, 7, known=()) is None


def test_steady_effects_seldom_raise_a_false_alarm_and_a_lost_one_is_found():
    random = np.random.default_rng(11)
    false = found = 0
    for _ in range(1000):
        row = list(random.normal(1000, 200, 13))
        false += effect_alert(effects(*row), 13, known=()) is not None
        found += effect_alert(effects(*row[:-1], row[-1] - 1000), 13, known=()) is not None

    assert false / 1000 < 0.02
    assert found / 1000 > 0.8


def held(alerts, *, turn=10, before=(), words=(), rails=RAILS, channels=("app", "sms")):
    moves = hold_channels(turn, channels, before=before, alerts=alerts, words=words, rails=rails)
    return {one.channel: one for one in moves.holds}, moves.action_by_channel


def test_a_broken_channel_is_left_alone_for_some_turns_and_then_tried_again():
    holds, actions = held(judged(counts(9, delivered=10)))

    assert holds["sms"] == Hold("sms", 10, 14, "automatic", "delivered broken")
    assert actions == {"sms": "held"}
    assert list(held([], turn=13, before=holds.values())[0]) == ["sms"]
    assert held([], turn=14, before=holds.values())[0] == {}


def test_what_is_only_worse_or_better_moves_nothing():
    assert held(judged(counts(9, delivered=700)))[0] == {}
    assert held(judged(counts(9, opened=700)))[0] == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"channels": ("sms",)},
        {"rails": Guardrails(is_automatic=False)},
        {"before": [Hold("app", 8, 12, "automatic", "x")], "channels": ("app", "letter", "sms")},
        {"words": [Word("app", is_held=True, until_turn=20, reason="x")]},
    ],
    ids=["the only channel", "not by itself", "too many at once", "the other one is held"],
)
def test_beyond_a_guardrail_a_person_must_decide(changed):
    holds, actions = held(judged(counts(9, delivered=10)), **changed)

    assert "sms" not in holds
    assert actions == {"sms": "needs_person"}


def test_a_persons_word_goes_before_alerts():
    release = Word("sms", is_held=False, until_turn=12, reason="mended")
    automatic = [Hold("sms", 9, 13, "automatic", "x")]

    assert held([], before=automatic, words=[release])[0] == {}
    assert held(judged(counts(9, delivered=10)), words=[release])[1] == {"sms": "released"}
    assert (
        "sms" in held(judged(counts(9, delivered=10)), words=[replace(release, until_turn=10)])[0]
    )


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    return SQLState(url)


def test_what_is_said_is_kept_with_its_reason_taken_back_and_audited(state):
    told = {"turn": 5, "channels": ("app", "sms"), "actor": "mei", "now": NOW}
    say(state, Word("sms", is_held=True, until_turn=9, reason="provider asks"), **told)
    say(state, Word("sms", is_held=False, until_turn=8, reason="mended"), **told)

    assert words_of(state) == [Word("sms", is_held=False, until_turn=8, reason="mended")]
    take_back(state, "sms", actor="mei", now=NOW)
    assert words_of(state) == []
    with state.reading() as opened:
        actions = [
            row["action"] for row in opened.all("SELECT action FROM audit_log ORDER BY number")
        ]
    assert actions == ["channel.hold", "channel.release", "channel.undo"]


def test_what_a_guardrail_leaves_to_people_is_one_task_until_somebody_answers(state):
    lost = judged(counts(9, delivered=10))
    gone = effect_alert(effects(1000, 1200, 900, 1100, 950, -400), 6, known=())
    told = {"turn": 10, "channels": ("app", "sms"), "actor": "mei", "now": NOW}

    for _turn in range(2):
        ask_people(state, [*lost, gone], now=NOW)

    waiting = alert_tasks(state)
    assert [one.subject for one in waiting] == ["channel/sms", "channel/*"]
    assert "delivered of turn 9 is 0.01, usually 0.9899 (0.9805 to 0.9994)" in waiting[0].message
    say(state, Word("sms", is_held=True, until_turn=12, reason="asked the provider"), **told)
    assert [one.subject for one in alert_tasks(state)] == ["channel/*"]
    seen(state, EVERY, actor="mei", now=NOW)
    assert alert_tasks(state) == []
    with pytest.raises(UnknownName, match="waits for a person"):
        seen(state, EVERY, actor="mei", now=NOW)


def test_an_effect_that_is_gone_holds_no_channel_and_asks_a_person():
    gone = effect_alert(effects(1000, 1200, 900, 1100, 950, -400), 6, known=())

    assert held([gone]) == ({}, {EVERY: "needs_person"})


def test_a_turn_left_out_of_what_is_learned_is_neither_judged_nor_a_past(outage, monkeypatch):
    effects_read = outage.table("effects")
    whole = outage.rows(
        effects_read.filter(
            effects_read.campaign_id == "*",
            effects_read.metric == "margin",
            effects_read.treated > 0,
        )
    )
    read_in, judged_turn = max((row["turn"], row["measured_turn"]) for row in whole)
    seen_turns = []

    def watched(readouts, measured_turn, *, known):
        seen_turns.append((measured_turn, {one.turn for one in readouts}))

    monkeypatch.setattr(step, "effect_alert", watched)
    for left_out in (set(), {1}, {judged_turn}):
        step._effects(outage, read_in, [], left_out)

    (all_judged, everything), (still_judged, fewer), *others = seen_turns
    assert all_judged == still_judged == judged_turn
    assert everything - fewer == {1}
    assert all(judged_turn not in past for _judged, past in others)


def test_a_channel_that_reports_nothing_back_is_not_judged_by_it():
    told = {"channel": "mail", "sent": 500, "failed": 0, "opted_out": 0, "cost": 5.0}
    counts = [told | {"turn": turn, "delivered": None, "opened": None} for turn in range(1, 8)]

    assert alerts_of(counts, 7, known=[]) == []


def test_words_that_make_no_sense_are_refused(state):
    told = {"turn": 5, "channels": ("app", "sms"), "actor": "mei", "now": NOW}

    with pytest.raises(UnknownName, match="fax"):
        say(state, Word("fax", is_held=True, until_turn=9, reason="x"), **told)
    with pytest.raises(InputError, match="turns is 0"):
        say(state, Word("sms", is_held=True, until_turn=5, reason="x"), **told)
    with pytest.raises(InputError, match="no reason"):
        say(state, Word("sms", is_held=True, until_turn=9, reason=" "), **told)
    with pytest.raises(InputError, match="nothing to take back"):
        take_back(state, "sms", actor="mei", now=NOW)


def test_an_outage_nobody_reported_is_found_within_two_turns_and_handled(outage):
    alerts = outage.rows(outage.table("alerts").order_by("turn"))
    found = [row for row in alerts if row["gravity"] == "broken"]

    assert {row["channel"] for row in found} == {"sms"}
    assert min(row["turn"] for row in found) <= 7
    assert all(row["action"] == "held" for row in found)
    holds = outage.rows(outage.table("channel_holds"))
    assert {row["channel"] for row in holds} == {"sms"}
    decisions = outage.rows(outage.table("decisions"))
    during = {row["turn"] for row in holds}
    assert all(row["channel"] != "sms" for row in decisions if row["turn"] in during)
    assert any(row["channel"] == "sms" for row in decisions if row["turn"] < min(during))
    assert any("channel_held" in row["verdicts"] for row in decisions if row["turn"] in during)
    assert any(row["verdict"] == "send" for row in decisions if row["turn"] in during)
