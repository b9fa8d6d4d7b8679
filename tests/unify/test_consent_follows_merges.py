"""Who said no under one id is not contacted under another: words and bars follow a merge."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.govern.consent.service import present_id, set_consent, show
from regulars.govern.consent.word import Word
from regulars.govern.suppression import Bar
from regulars.govern.suppression.service import suppress
from regulars.records.identifiers import customer_id_of
from regulars.unify.identity.identifiers import Identifier
from regulars.unify.identity.picture import Evidence
from regulars.unify.identity.service import link, merge

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)
COOKIE = customer_id_of("cookie", "a-1")


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    found = SQLState(url)
    with found.transaction() as opened:
        opened.run(
            "INSERT INTO identifiers VALUES (:n, 'cookie', 'a-1', :n, 1, '', '', '', 0)", n=COOKIE
        )
    yield found
    found.close()


def says(state, customer, status, days=0, **changes):
    word = Word(customer, "marketing", status, NOW - timedelta(days=9 - days), **changes)
    set_consent(state, word, actor="a", now=NOW)


def known(state, customer="u1"):
    return show(state, customer, now=NOW)


@pytest.mark.parametrize(
    ("own", "others", "counts"),
    [
        (("granted", 1), ("withdrawn", 2), "withdrawn"),
        (("granted", 2), ("withdrawn", 1), "granted"),
        (("withdrawn", 2), ("granted", 1), "withdrawn"),
        (("granted", 1), ("denied", 1), "denied"),
    ],
)
def test_after_a_merge_the_newest_word_of_both_counts(state, own, others, counts):
    says(state, "u1", *own)
    says(state, COOKIE, *others)

    merge(state, "u1", COOKIE, actor="wang", now=NOW)

    assert known(state).status("marketing") == counts
    assert known(state).changes[0].evidence == f"said as {COOKIE}"


def test_topics_and_bars_follow_too(state):
    says(state, COOKIE, "withdrawn", topic="news")
    suppress(state, [Bar(COOKIE, "complained", NOW)], actor="a", now=NOW)

    merge(state, "u1", COOKIE, actor="wang", now=NOW)

    assert [(w.topic, w.status) for w in known(state).in_force] == [("news", "withdrawn")]
    assert [(bar.channel, bar.reason) for bar in known(state).bars] == [("*", "complained")]


def test_words_follow_a_merge_that_events_make(state):
    says(state, COOKIE, "withdrawn")
    pair = (Identifier("login", "u1"), Identifier("cookie", "a-1"))
    evidence = Evidence(NOW.isoformat(), "identity", "shop", "observed", "said_together")

    link(state, [(*pair, evidence)])

    assert known(state).status("marketing") == "withdrawn"


def test_a_link_that_names_an_id_from_before_the_merge_speaks_for_the_customer_now(state):
    merge(state, "u1", COOKIE, actor="wang", now=NOW)

    assert present_id(state, COOKIE) == "u1"
    assert present_id(state, "u1") == "u1"
    assert present_id(state, "never met") == "never met"
