"""The inbox on a file of SQLite and on a real PostgreSQL server: the same receipts, the same end."""

from types import SimpleNamespace

from regulars.govern.suppression.service import bars_of
from regulars.reach.content.addresses.service import register
from regulars.reach.receipts.by_hand.service import grant_by_hand
from regulars.serve.sending.callbacks import staff_tasks

ON_BOTH = True


def test_shuffled_and_tripled_receipts_come_to_the_same(new_mailroom):
    calm, room = new_mailroom(), new_mailroom()
    for one in (calm, room):
        one.sends(*one.everybody)

    assert room.brings(room.shuffled(1), posts=5) == calm.brings(calm.everything())


def test_a_hard_bounce_and_an_answer_by_address_bar_in_the_same_commit(mailroom):
    mailroom.sends(("k1", "ann", "email"))
    token = mailroom.covering.token("phone", "+8613800138000")

    mailroom.takes(mailroom.receipt("bounced", is_permanent=True))
    mailroom.takes(mailroom.receipt("opted_out", "", address="+8613800138000"), channel="sms")

    assert mailroom.bars() == [("ann", "email", "bounced")]
    assert [bar.channel for bar in bars_of(mailroom.state, token, now=mailroom.now)] == ["sms"]
    assert mailroom.outcomes() == [("k1", "bounced")]


def test_a_contact_taken_back_is_known_as_such(mailroom):
    mailroom.sends(("k1", "ann", "wecom"), ("k2", "bob", "wecom"))
    mailroom.takes(staff_tasks._taken_back("p-k1", mailroom.now), channel="wecom")

    ours = staff_tasks._ours(SimpleNamespace(state=mailroom.state), "wecom", ["p-k1", "p-k2", "x"])

    assert {name: row["is_taken_back"] for name, row in ours.items()} == {"p-k1": 1, "p-k2": 0}


def test_grants_by_hand_and_by_a_late_address_count_once(mailroom):
    noted = {"channel": "mini", "messages": 2, "key": "k", "actor": "lan", "now": mailroom.now}
    by_hand = [grant_by_hand(mailroom.state, "ann", **noted) for _ in range(2)]
    mailroom.takes(mailroom.receipt("granted", "", address="o-ann", detail="T"), channel="mini")
    mailroom.now = mailroom.now.replace(year=mailroom.now.year + 1)
    mailroom.settles()
    register(mailroom.state, None, "ann", ("openid", "o-ann"), source="test", now=mailroom.now)
    settled = [mailroom.settles(), mailroom.settles()]

    [row] = mailroom.shop.all("SELECT customer_id, granted FROM contact_grants")
    assert (by_hand, settled) == ([True, False], [1, 0])
    assert (row["customer_id"], row["granted"]) == ("ann", 3)
