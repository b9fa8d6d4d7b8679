"""Published clients speak to the server unmodified: every event is stored once, nobody breaks."""

from collections import Counter

import pytest
from tests.collect.clients.conftest import CASES, RETRY

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.source)
retried = pytest.mark.parametrize(
    "case", [case for case in CASES if case.mode == RETRY], ids=lambda case: case.source
)
at_once = pytest.mark.parametrize(
    "case", [case for case in CASES if case.mode != RETRY], ids=lambda case: case.source
)


@every_case
def test_every_call_is_stored_once(case, outcomes):
    outcome = outcomes[case]

    stored = Counter((row["type"], row["event"]) for row in outcome.rows)
    assert stored == Counter(case.client.expected)
    assert sorted(row["message_id"] for row in outcome.rows) == sorted(set(outcome.door.sent()))


@every_case
def test_the_client_has_nothing_to_complain_of_and_no_thread_of_it_dies(case, outcomes):
    assert outcomes[case].said == []


@at_once
def test_nothing_is_sent_again_that_was_acknowledged(case, outcomes):
    door = outcomes[case].door

    assert {exchange.status for exchange in door.exchanges} <= {200, 204}
    assert len(door.sent()) == len(set(door.sent())) == len(case.client.expected)


@retried
def test_what_was_refused_or_not_answered_is_sent_again(case, outcomes):
    door = outcomes[case].door

    assert door.faults == []
    answers = Counter(exchange.status for exchange in door.exchanges)
    assert (answers[429], answers[503]) == (1, 1)
    assert len(door.sent()) > len(set(door.sent()))


def test_the_ledger_closes_and_holds_nothing_back(ledger, outcomes):
    passed = sum(
        len(exchange.ids())
        for outcome in outcomes.values()
        for exchange in outcome.door.exchanges
        if exchange.reached
    )

    assert ledger["received"] == passed
    assert ledger["stored"] == sum(len(case.client.expected) for case in CASES)
    assert ledger["duplicate"] == passed - ledger["stored"]
    assert ledger["quarantined"] == ledger["suppressed"] == 0


def test_there_are_more_than_ten_published_clients():
    published = {
        case.name.removesuffix("_batches").rsplit("_", 1)[0]
        if case.name.count("_") > 1
        else case.name
        for case in CASES
    }

    assert len(published) >= 13
