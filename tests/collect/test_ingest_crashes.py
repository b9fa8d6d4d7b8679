"""A server killed while clients send loses nothing it acknowledged; planted bugs are caught."""

import pytest
from tests.collect.prove_ingest_log import BUGS, run


def check(found, kills, events):
    assert found["kills"] == kills
    assert found["acked"] == events
    assert found["lost"] == 0, found


def test_a_server_killed_while_clients_send_loses_nothing_it_acknowledged():
    check(run(4, 4000), 4, 4000)


@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_caught(bug):
    assert run(2, 1000, bug=bug)["lost"] > 0


def prove() -> str:
    """Full size: 200 kills, each with a power cut, over 2 million events of 4 clients."""
    found = run(200, 2_000_000)
    check(found, 200, 2_000_000)
    caught = [bug for bug in BUGS if run(5, 5000, bug=bug)["lost"]]
    assert caught == list(BUGS)
    return (
        f"{found['kills']} kills with power cuts over {found['acked']:,} acknowledged events in "
        f"{found['requests']:,} requests: {found['lost']} lost; {len(caught)} planted bugs caught"
    )
