"""What a decide node chooses from in a workspace."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.reach.journeys.definition.nodes import Decide
from regulars.serve.sending.journeys.means import LastDecisions

NOW = datetime(2026, 12, 1, 2, tzinfo=UTC)
NODE = Decide(("news",), ("sms",))


@pytest.fixture
def app(make_shop, tmp_path):
    """A workspace whose newest turn thought news worth sending to two customers."""
    app = make_shop.empty(tmp_path / "shop")
    rows = [
        {"customer_id": who, "model_version": version, "candidates": '{"news:sms":[2.0,1.0]}'}
        for who, version in (("ann", "uplift-1"), ("bob", "uplift-1"), ("cyd", "uplift-1/plain"))
    ]
    make_shop.put(app, "decisions", rows, turn=1)
    return app


def says(app, customer, status, at):
    word = Word(customer, "profiling", status, at, source="preference_page")
    set_consent(app.state, word, actor="test", now=at)


def chosen(app, *customers):
    found = LastDecisions(app).decide(NODE, customers, "trip.ask")
    return [who for who, one in zip(customers, found, strict=True) if one is not None]


def test_nothing_is_decided_from_traits_of_whoever_refused_profiling_since_the_turn(app):
    assert chosen(app, "ann", "bob", "cyd", "dan") == ["ann", "bob", "cyd"]
    says(app, "ann", "withdrawn", NOW)
    says(app, "cyd", "withdrawn", NOW)  # the turn knew: it decided on her plainly

    assert chosen(app, "ann", "bob", "cyd", "dan") == ["bob", "cyd"]
    says(app, "ann", "granted", NOW + timedelta(days=1))
    assert chosen(app, "ann", "bob") == ["ann", "bob"]


def test_the_word_counts_at_the_moment_of_the_node_though_the_turn_was_read_before(app):
    decisions = LastDecisions(app)
    assert decisions.decide(NODE, ["ann"], "trip.ask") != [None]
    says(app, "ann", "denied", NOW)

    assert decisions.decide(NODE, ["ann"], "trip.ask") == [None]
