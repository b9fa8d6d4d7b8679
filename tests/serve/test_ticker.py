"""The ticker beside a server: a process that hands over what is due, and wakes for triggers."""

import time
from datetime import UTC, datetime

import pytest

from regulars.app import open_app
from regulars.reach.campaigns.triggers.service import Trigger
from regulars.serve.sending import acting
from regulars.serve.sending.desk import TriggerDesk
from regulars.serve.sending.explaining import explain_in
from regulars.serve.sending.ticking.beside import ticking
from regulars.serve.sending.ticking.ticker import Ticker

RECEIPT = {
    "id": "receipt",
    "message_class": "transactional",
    "channel": "sms",
    "audience": "trigger",
}
SETTINGS = """
[policy]
transactional_approval_required = false
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
    with ticking([(app.folder, desk.wake)], every=3600) as beside:
        assert comes_to_life(beside)
        for customer in ("ann", "bob"):
            desk.hand_in(Trigger("receipt", f"order-{customer}", customer)).result(timeout=60)
            assert comes_to(app, customer, "sent")


def test_what_a_killed_ticker_left_is_handed_over_by_the_next(app):
    desk = TriggerDesk(app.state, app.settings)
    desk.hand_in(Trigger("receipt", "order-1", "ann")).result(timeout=60)

    with ticking([(app.folder, desk.wake)], every=3600):
        assert comes_to(app, "ann", "sent")


def test_it_goes_on_when_the_settings_are_mended(app):
    desk = TriggerDesk(app.state, app.settings)
    (app.folder / "regulars.toml").write_text(SETTINGS.replace('"0.05"', '"0.05"\nvia = "fax"'))
    ticker = Ticker(app.folder, desk.wake, every=0.1) if _opens(app.folder) else None
    desk.hand_in(Trigger("receipt", "order-1", "ann")).result(timeout=60)
    (app.folder / "regulars.toml").write_text(SETTINGS)

    assert comes_to(app, "ann", "sent")
    ticker.end()


def _opens(folder):
    return open_app(folder).settings.channels["sms"].via == "fax"


def comes_to_life(beside):
    for _ in range(600):
        if beside.pid:
            return True
        time.sleep(0.1)
    return False
