"""The inbox: each receipt once, its effect in the same commit, whatever the order."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.govern.suppression.service import bars_of, lift
from regulars.reach.content.addresses.service import register
from regulars.reach.receipts import service, states
from regulars.reach.receipts.service import contact_state, counts
from regulars.reach.receipts.states import RANK, ContactState, resting
from regulars.records.identifiers import customer_id_of
from regulars.records.receipts import ParsedReceipt, ReceiptKind


@pytest.fixture
def calm(new_mailroom):
    """What the receipts come to when each comes once, in order."""
    room = new_mailroom()
    room.sends(*room.everybody)
    return room, room.brings(room.everything())


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_and_tripled_receipts_come_to_the_same(calm, new_mailroom, seed):
    room = new_mailroom()
    room.sends(*room.everybody)

    assert room.brings(room.shuffled(seed), posts=7) == calm[1]


@pytest.mark.parametrize("seed", range(3))
def test_receipts_that_come_before_the_ledger_knows_the_contact_come_to_the_same(
    calm, new_mailroom, seed
):
    room = new_mailroom()
    receipts = room.shuffled(seed)
    room.sends(*room.everybody[:4])
    room.brings(receipts[: len(receipts) // 2])
    room.sends(*room.everybody[4:])
    room.brings(receipts[len(receipts) // 2 :])

    assert room.came_to() == calm[1]


def test_the_calm_run_came_to_what_it_should(calm):
    room, _ = calm

    assert contact_state(room.state, "k0").state == "clicked"
    assert contact_state(room.state, "k1").state == "complained"
    assert contact_state(room.state, "k2").state == "opted_out"
    assert room.bars() == [
        ("c0", "email", "bounced"),
        ("c1", "*", "complained"),
        ("c2", "email", "opted_out"),
    ]
    assert len(room.outcomes()) == 8 * 4 + 5


def last_word(self, kind, at):
    """Planted: the state is whatever came last."""
    return replace(self, first_at={kind: at})


def latest(self, kind, at):
    """Planted: the moment is whatever came last, not the earliest."""
    return replace(self, first_at={**self.first_at, kind: at})


@pytest.mark.parametrize("bug", [last_word, latest])
def test_a_state_that_goes_by_arrival_is_caught(calm, new_mailroom, monkeypatch, bug):
    monkeypatch.setattr(ContactState, "with_receipt", bug)
    found = set()
    for seed in range(4):
        room = new_mailroom()
        room.sends(*room.everybody)
        found.add(room.brings(room.shuffled(seed), posts=7))

    assert found != {calm[1]}


def test_an_inbox_that_does_not_know_a_receipt_again_is_caught(calm, new_mailroom, monkeypatch):
    number, plain = itertools.count(), service._row

    def counted_on_arrival(*args, **options):
        return plain(*args, **options) | {"receipt_id": str(next(number))}

    monkeypatch.setattr(service, "_row", counted_on_arrival)
    room = new_mailroom()
    room.sends(*room.everybody)

    assert room.brings(room.shuffled(1), posts=7) != calm[1]


def test_a_crash_before_any_statement_loses_nothing_and_doubles_nothing(
    calm, new_mailroom, crashing, crash
):
    """Every statement of a post is a crash point; then the provider sends it again."""
    room = new_mailroom()
    room.sends(*room.everybody)
    receipts = [r for r in room.everything() if r.key in {"k0", "k2"}]
    wanted = None
    for before in itertools.count():
        one = new_mailroom()
        one.sends(*one.everybody)
        try:
            one.takes(*receipts, state=crashing(one.state, before))
        except crash:
            one.takes(*receipts)
            wanted = wanted or one.came_to()
            assert one.came_to() == wanted, f"crash before statement {before}"
        else:
            assert one.came_to() == wanted
            break

    assert before > 40


def test_an_inbox_that_commits_before_the_effect_is_caught(new_mailroom, crashing, crash):
    found = set()
    for before in range(60):
        one = new_mailroom()
        one.sends(*one.everybody)
        receipts = [r for r in one.everything() if r.key == "k2"]
        try:
            one.takes(*receipts, state=crashing(one.state, before, commits=True))
        except crash:
            one.takes(*receipts)
        found.add(one.came_to())

    assert len(found) > 1


def test_a_hard_bounce_bars_with_the_inbox_row_and_a_soft_one_does_not(mailroom):
    mailroom.sends(("k1", "ann", "email"), ("k2", "bob", "email"))

    mailroom.takes(mailroom.receipt("bounced", "k1", is_permanent=True))
    mailroom.takes(mailroom.receipt("bounced", "k2"))

    assert mailroom.bars() == [("ann", "email", "bounced")]
    assert mailroom.outcomes() == [("k1", "bounced")]


def test_three_soft_bounces_in_a_month_let_the_channel_rest(mailroom):
    mailroom.sends(*((f"k{n}", "ann", "email") for n in range(3)))

    for n in range(3):
        mailroom.takes(mailroom.receipt("bounced", f"k{n}", hours=24 * n))

    [bar] = bars_of(mailroom.state, "ann", now=mailroom.now)
    assert (bar.reason, (bar.until - bar.since).days) == ("soft_bounced", 14)


def test_soft_bounces_far_apart_let_nothing_rest():
    days = [datetime(2026, month, 1) for month in (1, 2, 3, 4)]

    assert resting(days) is None


def test_an_answer_by_address_bars_the_address_and_whoever_is_known_by_it(mailroom):
    token = mailroom.covering.token("phone", "+8613800138000")
    with mailroom.state.transaction() as opened:
        opened.run(
            "INSERT INTO identifiers VALUES (:n, 'phone', :t, 'ann', 1, '', '', '', 0)",
            n=customer_id_of("phone", token),
            t=token,
        )

    taken = mailroom.takes(
        mailroom.receipt("opted_out", "", address="+8613800138000"), channel="sms", raw=b"R"
    )

    assert (taken.received, taken.waiting) == (1, 0)
    assert mailroom.bars() == [("ann", "sms", "opted_out")]
    assert [b.channel for b in bars_of(mailroom.state, token, now=mailroom.now)] == ["sms"]
    stored = b"".join(f.read_bytes() for f in mailroom.shop.folder.iterdir() if f.is_file())
    assert b"13800138000" not in stored


def test_who_leaves_an_official_account_is_barred_by_the_openid_he_is_known_by(mailroom):
    left = mailroom.receipt("opted_out", "", address="oGZUI0egBJY1zhBYw2KhdUfwVJJE")
    assert mailroom.takes(left, channel="wechat").waiting == 1

    with mailroom.state.transaction() as opened:
        opened.run(
            """INSERT INTO contact_addresses (customer_id, kind, address, seen_at, source)
               VALUES ('ann', 'openid', 'oGZUI0egBJY1zhBYw2KhdUfwVJJE', '', '')"""
        )

    assert mailroom.settles() == 1
    assert mailroom.settles() == 0
    assert mailroom.bars() == [("ann", "wechat", "opted_out")]


def test_who_granted_again_after_opting_out_is_not_barred_by_a_late_receipt(mailroom):
    mailroom.sends(("k1", "ann", "email"))
    word = Word("ann", "marketing", "granted", mailroom.now, channel="email")
    set_consent(mailroom.state, word, actor="a", now=mailroom.now)

    mailroom.takes(mailroom.receipt("opted_out"))

    assert mailroom.bars() == []


def test_a_bar_somebody_lifted_does_not_come_back_with_the_same_receipt(mailroom):
    mailroom.sends(("k1", "ann", "email"))
    gone = mailroom.receipt("bounced", is_permanent=True)
    mailroom.takes(gone)
    lift(mailroom.state, "ann", actor="wang", now=mailroom.now)

    mailroom.takes(gone, replace(gone, notice_id="again"))

    assert mailroom.bars() == []


def test_programs_are_kept_and_not_counted(mailroom):
    mailroom.sends(("k1", "ann", "email"))

    taken = mailroom.takes(
        mailroom.receipt("clicked", agent="Barracuda Sentinel"),
        mailroom.receipt("opened", hours=0),
        mailroom.receipt("clicked", hours=2, agent=mailroom.phone),
    )

    assert taken.programs == 2
    assert mailroom.outcomes() == [("k1", "clicked")]
    rows = mailroom.shop.all("SELECT kind, standing FROM receipt_inbox ORDER BY kind, standing")
    assert [tuple(r.values()) for r in rows] == [
        ("clicked", "counted"),
        ("clicked", "program"),
        ("opened", "program"),
    ]


def test_a_receipt_settles_a_contact_nobody_confirmed(mailroom):
    mailroom.sends(("k1", "ann", "email"))
    mailroom.shop.run("UPDATE ledger SET state = 'unknown', reason = 'no_answer'", {})

    mailroom.takes(mailroom.receipt("delivered"))

    rows = mailroom.shop.all("SELECT state, reason FROM ledger")
    assert [tuple(row.values()) for row in rows] == [("sent", "handed_over")]


def test_a_receipt_of_nobodys_contact_waits_and_changes_nothing(mailroom):
    taken = mailroom.takes(mailroom.receipt("complained", "nobody's"))

    assert taken.waiting == 1
    assert mailroom.settles() == 0
    assert (mailroom.bars(), mailroom.outcomes()) == ([], [])


@given(st.lists(st.tuples(st.sampled_from(list(states.KINDS)), st.integers(1, 9)), max_size=12))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_state_only_rises_and_goes_by_the_set_alone(receipts):
    known, seen = ContactState("k", "ann", "sms", {}), 0
    for kind, at in receipts:
        known = known.with_receipt(kind, str(at))
        assert RANK[known.state] >= seen
        seen = RANK[known.state]
    again = ContactState("k", "ann", "sms", {})
    for kind, at in [*receipts[::-1], *receipts]:
        again = again.with_receipt(kind, str(at))

    assert again == known


def test_a_receipt_says_no_address_when_it_is_shown(mailroom):
    said = ParsedReceipt(ReceiptKind.OPTED_OUT, mailroom.now, address="+8613800138000")

    assert "138" not in repr(said)


def test_a_receipt_nobody_knows_after_a_week_no_longer_waits(mailroom):
    mailroom.takes(mailroom.receipt("complained", "", provider_id="p-k1"))
    mailroom.now += timedelta(days=7)
    mailroom.settles()
    mailroom.sends(("k1", "ann", "email"))

    assert mailroom.settles() == 0
    assert mailroom.bars() == []
    assert [one["standing"] for one in counts(mailroom.state)] == ["unknown"]


def posts(room):
    return [row["body"] for row in room.shop.all("SELECT body FROM receipt_posts ORDER BY body")]


def test_a_post_that_told_nothing_leaves_nothing_and_takes_no_lock(mailroom, crashing):
    mailroom.sends(("k1", "ann", "email"))
    mailroom.takes(mailroom.receipt("delivered", "k1", notice_id="n1"), raw=b"first")

    no_writer = crashing(mailroom.state, 0)
    nothing = mailroom.takes(state=no_writer, raw=b"vacation")
    again = mailroom.takes(mailroom.receipt("delivered", "k1", notice_id="n1"), raw=b"varied")

    assert (nothing.received, again.again) == (0, 1)
    assert posts(mailroom) == ["sealed 5"]


def test_receipts_known_already_open_no_write_transaction(mailroom, monkeypatch):
    receipt = mailroom.receipt("delivered", "k1", notice_id="n1")
    mailroom.takes(receipt)
    monkeypatch.delattr(type(mailroom.state), "transaction")

    assert mailroom.takes(receipt, receipt, raw=b"again").again == 2


def test_bodies_are_forgotten_after_thirty_days_and_receipts_are_not(mailroom):
    mailroom.sends(("k1", "ann", "email"))
    first = mailroom.now
    mailroom.takes(mailroom.receipt("delivered", "k1"), raw=b"first")
    mailroom.now = first + timedelta(days=29)
    mailroom.takes(mailroom.receipt("opened", "k1"), raw=b"second one")

    kept = service.forget_posts(mailroom.state, now=mailroom.now)
    gone = service.forget_posts(mailroom.state, now=first + timedelta(days=30))

    assert (kept, gone, posts(mailroom)) == (0, 1, ["sealed 10"])
    assert contact_state(mailroom.state, "k1").state == "opened"
    assert mailroom.takes(mailroom.receipt("delivered", "k1"), raw=b"first").again == 1
    assert posts(mailroom) == ["sealed 10"]


def granted(room, address):
    return room.receipt("granted", "", detail="T1", address=address, notice_id=f"g-{address}")


def messages_allowed(room):
    rows = room.shop.all("SELECT customer_id, granted FROM contact_grants ORDER BY 1")
    return {row["customer_id"]: row["granted"] for row in rows}


@pytest.mark.parametrize(
    ("kind", "address"), [("openid", "o-ann"), ("phone", "+8613800138000")], ids=["id", "token"]
)
@pytest.mark.parametrize("days", [1, 30])
def test_a_grant_counts_once_its_address_is_registered(mailroom, kind, address, days):
    first = mailroom.takes(granted(mailroom, address), channel="mini")
    for _ in range(2):
        mailroom.now += timedelta(days=days / 2)
        mailroom.settles()
    before = messages_allowed(mailroom)
    kept = address if kind == "openid" else mailroom.covering.token(kind, address)
    register(mailroom.state, None, "ann", (kind, kept), source="test", now=mailroom.now)

    settled = [mailroom.settles(), mailroom.settles()]
    again = mailroom.takes(granted(mailroom, address), channel="mini")

    assert (first.waiting, before, settled) == (1, {}, [1, 0])
    assert (messages_allowed(mailroom), again.again) == ({"ann": 1}, 1)
