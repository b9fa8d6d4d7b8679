"""The inbox on a file of SQLite and on a real PostgreSQL server: the same receipts, the same end."""

from regulars.govern.suppression.service import bars_of

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
