"""The ticker beside a server: a process that hands over what is due, and wakes for triggers."""

import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from regulars.app import open_app
from regulars.errors import InputError, Transient
from regulars.ports.channels import Recovery
from regulars.reach.campaigns.triggers.service import Trigger
from regulars.reach.delivery import Member, Run
from regulars.reach.delivery.service import enrol, hasten
from regulars.serve.sending import acting, passing
from regulars.serve.sending.desk import TriggerDesk
from regulars.serve.sending.explaining import explain_in
from regulars.serve.sending.passing import is_careful_waiting, one_pass
from regulars.serve.sending.ticking import ticker as ticking_passes
from regulars.serve.sending.ticking import urgent
from regulars.serve.sending.ticking.beside import ticking
from regulars.serve.sending.ticking.ticker import Ticker
from regulars.serve.sending.ticking.urgent import UrgentLane

RECEIPT = {
    "id": "receipt",
    "message_class": "transactional",
    "channel": "sms",
    "audience": "trigger",
}
SETTINGS = """
[policy]
transactional_approval_required = false
consent_required = false
quiet_from = 0
quiet_to = 0
[channels.app]
cost = "0.05"
[channels.sms]
cost = "0.05"
"""


@pytest.fixture
def app(tmp_path):
    (tmp_path / "regulars.toml").write_text(SETTINGS, encoding="utf-8")
    app, now = open_app(tmp_path), datetime.now(UTC)
    acting.put(app, RECEIPT, actor="t", now=now)
    acting.begin(app, "receipt", actor="t", now=now)
    return app


def comes_to(app, customer, fate):
    """Wait for what became of a customer; whoever never gets there fails the test."""
    for _ in range(600):
        found = [one.fate for one in explain_in(app, customer).attempts]
        if fate in found:
            return True
        time.sleep(0.1)
    return False


def test_a_trigger_goes_out_by_itself_though_the_next_pass_is_an_hour_away(app):
    desk = TriggerDesk(app.state, app.settings)
    with ticking([(app.folder, desk.wake)], every=3600) as (_, lane):
        assert comes_to_life(lane)
        for customer in ("ann", "bob"):
            desk.hand_in(Trigger("receipt", f"order-{customer}", customer)).result(timeout=60)
            assert comes_to(app, customer, "sent")


def test_what_a_killed_ticker_left_is_handed_over_by_the_next(app):
    desk = TriggerDesk(app.state, app.settings)
    desk.hand_in(Trigger("receipt", "order-1", "ann")).result(timeout=60)

    with ticking([(app.folder, desk.wake)], every=3600):
        assert comes_to(app, "ann", "sent")


def test_the_urgent_lane_hands_over_what_customers_wait_for_and_nothing_else(app):
    desk = TriggerDesk(app.state, app.settings)
    news = [Member("bob", "send", "chosen", channel="sms")]
    enrol(app.state, Run("campaign/news/all", "news"), news, now=datetime.now(UTC))
    lane = UrgentLane(app.folder)
    desk.hand_in(Trigger("receipt", "order-1", "ann")).result(timeout=60)
    lane.wake()

    assert comes_to(app, "ann", "sent")
    lane.end()
    assert fates(app, "bob") == ["planned"]


def test_the_urgent_lane_goes_on_after_an_error(app, monkeypatch):
    looks = []

    def fails_once(*given, **more):
        looks.append(given)
        if len(looks) == 1:
            raise Transient("the store is locked")
        return hasten(*given, **more)

    monkeypatch.setattr(urgent, "hasten", fails_once)
    monkeypatch.setattr(urgent, "AGAIN_AFTER", 0.0)
    TriggerDesk(app.state, app.settings).hand_in(Trigger("receipt", "order-1", "ann")).result(60)
    lane = UrgentLane(app.folder)

    assert comes_to(app, "ann", "sent")
    lane.end()


def test_passes_leave_what_is_urgent_to_its_lane_until_somebody_has_waited(app, monkeypatch):
    monkeypatch.setattr(passing, "LEFT_FOR", timedelta(hours=1))
    TriggerDesk(app.state, app.settings).hand_in(Trigger("receipt", "order-1", "ann")).result(60)
    now = datetime.now(UTC)

    one_pass(app, now=now, leaves_urgent=True)
    left = fates(app, "ann")
    one_pass(app, now=now + timedelta(hours=2), leaves_urgent=True)

    assert (left, fates(app, "ann")) == (["planned"], ["sent"])


@pytest.mark.parametrize(
    ("marketing", "recovery"),
    [("sms", Recovery.RESEND), ("app", Recovery.HOLD_UNKNOWN), ("app", Recovery.RESEND)],
)
def test_a_pass_at_work_hands_over_what_nobody_else_does(app, monkeypatch, marketing, recovery):
    desk, whole = TriggerDesk(app.state, app.settings), app.channels["sms"].send
    monkeypatch.setattr(app.channels["sms"], "recovery", recovery)
    news = [Member("bob", "send", "chosen", channel=marketing)]
    enrol(app.state, Run("campaign/news/all", "news"), news, now=datetime.now(UTC))
    seen, has_gone = [], threading.Event()

    def send(contacts):
        customers = [one.customer_id for one in contacts]
        if "ann" in customers:
            has_gone.set()
        else:
            # The pass is at work on marketing, and its lane is gone, when the receipt comes.
            desk.hand_in(Trigger("receipt", "order-1", "ann")).result(timeout=60)
            seen.append(has_gone.wait(60))
        return whole(contacts)

    for channel in app.channels.values():
        monkeypatch.setattr(channel, "send", send)
    monkeypatch.setattr(passing, "LEFT_FOR", timedelta(seconds=0.2))
    one_pass(app, now=datetime.now(UTC), with_campaigns=False, leaves_urgent=True)

    assert seen == [True]
    assert (fates(app, "ann"), fates(app, "bob")) == (["sent"], ["sent"])


def test_what_a_crash_leaves_unknown_is_handed_over_by_passes_alone(app, monkeypatch):
    monkeypatch.setattr(app.channels["sms"], "recovery", Recovery.HOLD_UNKNOWN)
    monkeypatch.setattr(urgent, "open_app", lambda _folder: app)
    TriggerDesk(app.state, app.settings).hand_in(Trigger("receipt", "order-1", "ann")).result(60)
    lane = UrgentLane(app.folder)
    threads, looked = lane._threads, lane._look(lane._opened, "sms")
    left = fates(app, "ann")

    one_pass(app, now=datetime.now(UTC), with_campaigns=False, leaves_urgent=True)
    lane.end()

    assert (threads, looked, left, fates(app, "ann")) == ([], False, ["planned"], ["sent"])


def test_passes_wake_for_what_only_they_hand_over(app, monkeypatch):
    monkeypatch.setattr(app.channels["sms"], "recovery", Recovery.HOLD_UNKNOWN)
    monkeypatch.setattr(ticking_passes, "open_app", lambda _folder: app)
    desk = TriggerDesk(app.state, app.settings)
    ticker = Ticker(app.folder, desk.wake, every=3600, leaves_urgent=True)
    assert until(lambda: ticker.passes > 0)
    assert not is_careful_waiting(app, now=datetime.now(UTC))
    desk.hand_in(Trigger("receipt", "order-1", "ann")).result(timeout=60)

    assert comes_to(app, "ann", "sent")
    ticker.end()


def test_a_workspace_that_cannot_be_opened_ends_the_lane_of_no_other(app, tmp_path, monkeypatch):
    broken, lanes = tmp_path / "broken", []
    broken.mkdir()
    (broken / "regulars.toml").write_text(SETTINGS.replace("0.05", "x"), encoding="utf-8")
    monkeypatch.setattr(urgent, "OPENED_EVERY", 0.01)

    left = urgent._begun([broken, app.folder], lanes)
    begun = len(lanes)
    (broken / "regulars.toml").write_text(SETTINGS, encoding="utf-8")
    urgent._begin(left, lanes, threading.Event())
    for lane in lanes:
        lane.end()

    assert (left, begun, len(lanes)) == ([broken], 1, 2)


@pytest.mark.parametrize("cost", ["x", "NaN", ""])
def test_a_cost_that_is_no_amount_is_told(tmp_path, cost):
    (tmp_path / "regulars.toml").write_text(SETTINGS.replace("0.05", cost), encoding="utf-8")

    with pytest.raises(InputError, match=f"cost is '{cost}', must be an amount such as 0.05"):
        open_app(tmp_path)


def fails_first(call, times):
    """Let a call break down with what nobody foresaw, some times, then work."""
    failed = []

    def given(*args, **more):
        if len(failed) < times:
            failed.append(args)
            raise ArithmeticError("nobody foresaw this")
        return call(*args, **more)

    return given


def test_the_urgent_lane_goes_on_though_the_workspace_cannot_be_opened_again(app, monkeypatch):
    first, again = iter([app]), fails_first(open_app, 2)
    monkeypatch.setattr(urgent, "open_app", lambda folder: next(first, None) or again(folder))
    monkeypatch.setattr(urgent, "hasten", fails_first(hasten, 2))
    monkeypatch.setattr(urgent, "AGAIN_AFTER", 0.0)
    TriggerDesk(app.state, app.settings).hand_in(Trigger("receipt", "order-1", "ann")).result(60)
    lane = UrgentLane(app.folder)

    assert comes_to(app, "ann", "sent")
    lane.end()


def test_a_ticker_waits_for_a_workspace_that_cannot_be_opened(app, monkeypatch):
    monkeypatch.setattr(ticking_passes, "open_app", fails_first(open_app, 2))
    desk = TriggerDesk(app.state, app.settings)
    desk.hand_in(Trigger("receipt", "order-1", "ann")).result(timeout=60)
    ticker = Ticker(app.folder, desk.wake, every=0.1)

    assert comes_to(app, "ann", "sent")
    ticker.end()


def test_a_long_audience_does_not_make_claims_look_older_than_they_are(app, monkeypatch):
    seen, now = [], datetime.now(UTC)
    clock = iter([0.0, *[90.0] * 1000])
    monkeypatch.setattr(passing, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(passing, "tick", lambda *_args, **given: seen.append(given["now"]))

    one_pass(app, now=now, pause=lambda _seconds: None)

    assert seen == [now + timedelta(seconds=90)]


def test_it_goes_on_when_the_settings_are_mended(app):
    desk = TriggerDesk(app.state, app.settings)
    (app.folder / "regulars.toml").write_text(SETTINGS + 'via = "fax"\n')
    ticker = Ticker(app.folder, desk.wake, every=0.1) if _opens(app.folder) else None
    desk.hand_in(Trigger("receipt", "order-1", "ann")).result(timeout=60)
    (app.folder / "regulars.toml").write_text(SETTINGS)

    assert comes_to(app, "ann", "sent")
    ticker.end()


def _opens(folder):
    return open_app(folder).settings.channels["sms"].via == "fax"


def fates(app, customer):
    return [one.fate for one in explain_in(app, customer).attempts]


def comes_to_life(beside):
    return until(lambda: beside.pid)


def until(is_so):
    for _ in range(600):
        if is_so():
            return True
        time.sleep(0.1)
    return False
