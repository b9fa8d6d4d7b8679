"""Templates: each can be walked, says nothing copy review stops, and tells what it lacks."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.serve.conftest import empty_shop, put
from typer.testing import CliRunner

from regulars.errors import InputError, UnknownName
from regulars.govern.copycheck.service import review_rendered
from regulars.reach.content.service import get_content
from regulars.reach.journeys.definition.nodes import NodeKind
from regulars.reach.journeys.definition.reading import Ground, parse, read_journey
from regulars.reach.journeys.templates.catalogue import NAMES, Takes, find_template, list_templates
from regulars.reach.journeys.templates.fitting import fit
from regulars.serve.authoring.beginning import check_template, keep_contents
from regulars.serve.cli.main import app as cli
from regulars.serve.sending.proofreading import findings_as_written

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
CHANNELS = ("sms", "app")


def offer_of(template):
    return "" if template.takes is Takes.NONE else "gift-10"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return empty_shop(tmp_path_factory.mktemp("templates") / "shop")


@pytest.mark.parametrize("name", NAMES)
def test_every_template_becomes_a_journey_that_can_be_walked_and_measured(name):
    template = find_template(name)
    fitted = fit(template, channels=CHANNELS, offer=offer_of(template))
    ground = Ground(
        CHANNELS, offers=("gift-10",), topics=("membership", "offers", "news", "surveys")
    )

    journey = read_journey(fitted.journey, ground)

    assert journey.holdout == 0.1
    assert journey.exits
    # Only where every coming in ends the stay before may one come in at every occurrence.
    ends = {one.event for one in journey.exits}
    assert journey.reentry.kind != "always" or {one.event for one in journey.entries} <= ends
    written = {f"{one['id']}@1" for one in fitted.contents}
    assert set(journey.contents) == written
    assert all(one["locales"].keys() == {"zh-CN", "en"} for one in fitted.contents)
    needed = {one.name for one in template.needs if one.kind == "event"}
    assert set(journey.events) <= needed | {"Points Redeemed", "Order Refunded"}


def test_the_welcome_series_lasts_seven_days():
    fitted = fit(find_template("welcome"), channels=["sms"])
    waits = [one for one in fitted.journey["nodes"].values() if one["kind"] == NodeKind.WAIT]

    assert sum(one["days"] for one in waits) == 6  # and the morning of the third day
    assert len(fitted.contents) == 3


@pytest.mark.parametrize("name", NAMES)
def test_copy_review_stops_no_word_of_a_template(app, name):
    template = find_template(name)
    given = keep_contents(
        app, name, channels=["email", "app"], offer=offer_of(template), actor="mei", now=NOW
    )
    names = sorted(read_journey(given).contents)
    contents = {one: get_content(app.state, one) for one in names}

    found = findings_as_written(app, contents, today=NOW.date())

    assert [one for one in found if one["severity"] != "notice"] == []


def test_copy_review_would_stop_a_template_that_boasts(app):
    from regulars.govern.copycheck.findings import Copy

    boast = Copy("全国最低价，史上最强优惠", line=1, channel="app", is_marketing=True)

    assert review_rendered(app.state, [boast], as_of=NOW.date())


def test_a_template_tells_what_is_missing_and_stops_telling_once_it_is_there(app, tmp_path):
    shop = empty_shop(tmp_path / "shop")
    missing = [
        one for one in check_template(shop, find_template("birthday"), now=NOW) if not one.is_met
    ]
    assert {one.kind for one in missing} == {"field", "event", "offer"}
    assert all(one.advice["zh"] and one.advice["en"] for one in missing)

    put(
        shop,
        "customers",
        [{"customer_id": "c1", "born_on": date(1990, 5, 1)}, {"customer_id": "c2"}],
    )
    put(shop, "offers", [{"offer_id": "gift-10"}])
    event = {"source": "web", "type": "track", "event": "Order Completed", "payload": "{}"}
    put(shop, "events", [
        event | {"message_id": "m1", "occurred_at": NOW - timedelta(days=40), "sent_at": NOW,
                 "received_at": NOW, "business_date": date(2026, 1, 20)},
    ])  # fmt: skip
    found = {one.kind: one for one in check_template(shop, find_template("birthday"), now=NOW)}

    assert found["field"].is_met
    assert (found["field"].found, found["field"].of) == (1, 2)
    assert found["offer"].is_met
    assert not found["event"].is_met, "an event of forty days ago says nothing of today"


def test_a_template_that_carries_an_offer_asks_for_one_and_others_refuse_it():
    with pytest.raises(InputError, match="give --offer ID"):
        fit(find_template("birthday"), channels=["sms"])
    with pytest.raises(InputError, match="leave 'gift' out"):
        fit(find_template("survey"), channels=["sms"], offer="gift")
    with pytest.raises(InputError, match="name one or more"):
        fit(find_template("survey"), channels=[])
    with pytest.raises(UnknownName):
        find_template("hello")


def test_the_command_lists_checks_and_writes_files_that_are_read_back(tmp_path):
    empty_shop(tmp_path / "shop")
    run = lambda *words: CliRunner().invoke(  # noqa: E731
        cli, ["reach", "journey", "templates", *words, "--dir", str(tmp_path / "shop")]
    )
    listed = run("--json")
    one = run("abandoned-cart")
    written = run("win-back", "--offer", "gift-10", "--out", str(tmp_path / "back.toml"))

    assert [row["name"] for row in json.loads(listed.stdout)] == [t.name for t in list_templates()]
    assert "Product Added" in one.stdout
    assert "购物车" in one.stdout
    assert written.exit_code == 0, written.stdout
    text = (tmp_path / "back.toml").read_text(encoding="utf-8")
    assert read_journey(parse(text, is_json=False)).id == "win-back"
    assert len(list((tmp_path / "back.contents").glob("*.toml"))) == 2
    refused = run("birthday", "--out", str(tmp_path / "no.toml"))
    assert isinstance(refused.exception, InputError)
    assert not (tmp_path / "no.toml").exists()
