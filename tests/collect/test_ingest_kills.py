"""Server and drain killed while clients send: every acknowledged event is stored exactly once."""

from tests.collect.prove_ingest import start, verify
from tests.collect.prove_ingest_log import run


def check(found, kills, events):
    assert (found["kills"], found["acked"]) == (kills, events)
    assert (found["lost"], found["doubled"], found["unexplained"]) == (0, 0, 0), found


def test_what_was_acknowledged_is_stored_once_whatever_was_killed():
    check(run(3, 3000, start=start, verify=verify), 3, 3000)


def test_an_answer_before_the_disk_has_it_is_caught():
    assert run(2, 1000, bug="ack_before_sync", start=start, verify=verify)["lost"] > 0


def prove() -> str:
    """Full size: 200 kills of server and drain, with power cuts, over 2 million events."""
    found = run(200, 2_000_000, start=start, verify=verify)
    check(found, 200, 2_000_000)
    return (
        f"{found['kills']} kills of server and drain with power cuts over {found['acked']:,} "
        f"acknowledged events: {found['lost']} lost, {found['doubled']} stored twice, "
        f"{found['duplicates_told_apart']:,} repeats told apart"
    )
