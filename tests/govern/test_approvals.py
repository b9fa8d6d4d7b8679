"""Approvals: two people, one content, and every act on the record."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.access.api_keys.service import add_key, revoke_key
from regulars.govern.access.passwords import ScryptCost
from regulars.govern.access.service import add_user, disable_user
from regulars.govern.approvals import service, two_persons
from regulars.govern.approvals.service import Subject
from regulars.govern.audit.service import newest

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
TEA = Subject("campaign", "tea", 1, "a" * 64)
CHEAP = ScryptCost(16, 1, 1)


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    state = SQLState(url)
    for name, role in (
        ("mei", "marketer"),
        ("lan", "approver"),
        ("bo", "approver"),
        ("root", "admin"),
    ):
        add_user(
            state, name=name, role=role, password="long enough", actor="t", now=NOW, cost=CHEAP
        )
    return state


def asked(state, *, actor="mei", hands=("mei",), subject=TEA):
    with state.transaction() as opened:
        return service.request(
            opened, subject, hands=hands, evidence={"audience": 7}, actor=actor, at=NOW
        )


def approve(state, number, actor, *, current=TEA):
    with state.transaction() as opened:
        service.approve(opened, number, current=current, actor=actor, at=NOW)


def is_approved(state, subject=TEA):
    with state.reading() as opened:
        return service.approved(opened, subject) is not None


def refused(state, number, actor, **more):
    with pytest.raises(NotAllowed) as found:
        approve(state, number, actor, **more)
    return found.value.rule


def key_of(state, name, *, role, owner):
    add_key(state, name=name, role=role, actor="command line", owner=owner, now=NOW)
    return f"api-key:{name}"


def test_somebody_else_with_the_role_approves(state):
    number = asked(state)
    approve(state, number, "lan")

    assert is_approved(state)


def test_before_anybody_approved_nothing_is_approved(state):
    asked(state)

    assert not is_approved(state)


@pytest.mark.parametrize(
    ("actor", "hands", "approver", "rule"),
    [
        ("mei", ["mei"], "mei", "role"),
        ("lan", ["lan"], "lan", "two-person"),
        ("lan", ["mei"], "lan", "two-person"),
        ("mei", ["lan", "mei"], "lan", "two-person"),
        ("mei", ["mei"], "nobody", "two-person"),
        ("mei", ["mei"], "command line", "two-person"),
    ],
    ids=["marketer", "author", "requester", "editor", "stranger", "command line"],
)
def test_the_wrong_person_is_refused(state, actor, hands, approver, rule):
    number = asked(state, actor=actor, hands=hands)

    assert refused(state, number, approver) == rule
    assert not is_approved(state)
    approve(state, number, "bo")
    assert is_approved(state)


def test_an_admin_may_approve_but_not_what_they_wrote(state):
    theirs = asked(state, actor="mei", hands=["root"])
    assert refused(state, theirs, "root") == "two-person"

    approve(state, asked(state), "root")
    assert is_approved(state)


def test_a_key_counts_as_the_person_who_owns_it(state):
    own = key_of(state, "lan-bot", role="approver", owner="lan")
    number = asked(state, actor="lan", hands=["lan"])

    assert refused(state, number, own) == "two-person"
    approve(state, number, key_of(state, "bo-bot", role="approver", owner="bo"))
    assert is_approved(state)


def test_what_a_key_wrote_its_owner_may_not_approve(state):
    key = key_of(state, "lan-bot", role="marketer", owner="lan")
    number = asked(state, actor=key, hands=[key])

    assert refused(state, number, "lan") == "two-person"


def test_a_key_made_by_a_key_opens_on_the_person_at_the_end(state):
    first = key_of(state, "first", role="admin", owner="lan")
    add_key(state, name="second", role="approver", actor=first, now=NOW)
    number = asked(state, actor="lan", hands=["lan"])

    assert refused(state, number, "api-key:second") == "two-person"


@pytest.mark.parametrize(
    ("key_role", "owner"), [("viewer", "lan"), ("admin", "mei")], ids=["weak key", "weak owner"]
)
def test_the_narrower_of_key_and_owner_counts(state, key_role, owner):
    key = key_of(state, "bot", role=key_role, owner=owner)
    number = asked(state, actor="root", hands=["root"])

    assert refused(state, number, key) == "role"


def test_a_key_of_nobody_in_particular_approves_nothing(state):
    add_key(state, name="bot", role="admin", actor="command line", now=NOW)

    assert refused(state, asked(state), "api-key:bot") == "two-person"


def test_a_revoked_key_and_a_disabled_user_approve_nothing(state):
    key, number = key_of(state, "bot", role="approver", owner="bo"), asked(state)
    revoke_key(state, name="bot", actor="t", now=NOW)
    disable_user(state, name="lan", actor="t", now=NOW)

    assert refused(state, number, key) == "two-person"
    assert refused(state, number, "lan") == "two-person"


def test_a_key_has_an_owner_there_is(state):
    with pytest.raises(UnknownName, match="zoe"):
        add_key(state, name="bot", role="viewer", actor="t", owner="zoe", now=NOW)


@pytest.mark.parametrize("change", [{"content_hash": "b" * 64}, {"version": 2}])
def test_what_changed_since_it_was_asked_for_is_not_approved(state, change):
    number = asked(state)

    assert refused(state, number, "lan", current=replace(TEA, **change)) == "approval"
    assert not is_approved(state)


@pytest.mark.parametrize(
    "other",
    [{"content_hash": "b" * 64}, {"version": 2}, {"id": "milk"}, {"kind": "journey"}],
    ids=lambda change: next(iter(change)),
)
def test_an_approval_holds_for_what_was_approved_and_nothing_else(state, other):
    approve(state, asked(state), "lan")

    assert is_approved(state)
    assert not is_approved(state, replace(TEA, **other))


def test_a_decided_request_is_not_decided_again(state):
    number = asked(state)
    with state.transaction() as opened:
        service.ask_changes(opened, number, "name the price", actor="lan", at=NOW)

    assert refused(state, number, "bo") == "approval"
    assert not is_approved(state)


def test_changes_are_asked_for_with_words_by_somebody_else(state):
    number = asked(state)
    with pytest.raises(InputError, match="nothing was said"), state.transaction() as opened:
        service.ask_changes(opened, number, "  ", actor="lan", at=NOW)
    with pytest.raises(NotAllowed), state.transaction() as opened:
        service.ask_changes(opened, number, "no", actor="mei", at=NOW)


def test_a_newer_request_ends_the_older(state):
    old, new = asked(state), asked(state)

    assert refused(state, old, "lan") == "approval"
    approve(state, new, "lan")
    assert is_approved(state)


@pytest.mark.parametrize(("actor", "may"), [("mei", True), ("bo", True), ("command line", False)])
def test_those_it_concerns_take_a_request_back(state, actor, may):
    number = asked(state)
    if not may:
        with pytest.raises(NotAllowed), state.transaction() as opened:
            service.withdraw(opened, number, actor=actor, at=NOW)
        return
    with state.transaction() as opened:
        service.withdraw(opened, number, actor=actor, at=NOW)

    assert refused(state, number, "lan") == "approval"


def test_the_inbox_holds_what_waits_for_me(state):
    mine = asked(state, subject=replace(TEA, id="mine"), actor="lan", hands=["lan"])
    theirs = asked(state, subject=replace(TEA, id="theirs"))

    assert [one.request_id for one in service.inbox(state, "lan")] == [theirs]
    assert [one.request_id for one in service.inbox(state, "bo")] == [mine, theirs]
    assert service.inbox(state, "mei") == []
    assert service.inbox(state, "bo")[0].evidence == {"audience": 7}


def test_every_act_is_in_the_audit_log_with_the_hash_and_the_person(state):
    number = asked(state)
    key = key_of(state, "bot", role="approver", owner="bo")
    with state.transaction() as opened:
        service.comment(opened, number, "fine", actor="root", at=NOW)
    approve(state, number, key)
    with state.reading() as opened:
        acts = service.find_request(opened, number).acts
    entries = [one for one in newest(state) if one.action.startswith("approval.")]

    assert [one.act for one in acts] == ["request", "comment", "approve"]
    assert [one.action for one in entries] == [
        "approval.approve",
        "approval.comment",
        "approval.request",
    ]
    assert entries[0].actor == key
    assert '"person":"bo"' in entries[0].detail
    assert TEA.content_hash in entries[0].detail


def test_an_approver_who_is_the_author_would_be_caught(state, monkeypatch):
    number = asked(state, actor="lan", hands=["lan"])
    monkeypatch.setattr(service, "checked_approver", lambda person, **_: person)
    approve(state, number, "lan")

    assert is_approved(state), "without the rule the planted approval goes through"
    with pytest.raises(NotAllowed):
        two_persons.checked_approver(
            two_persons.Person("lan", two_persons.LEAST_ROLE), hands=["lan"], requester="lan"
        )


def test_counting_a_key_as_itself_would_be_caught(state, monkeypatch):
    key = key_of(state, "lan-bot", role="approver", owner="lan")
    number = asked(state, actor="lan", hands=["lan"])
    monkeypatch.setattr(
        service,
        "person_of",
        lambda opened, actor: two_persons.Person(actor, two_persons.LEAST_ROLE),
    )

    approve(state, number, key)

    assert is_approved(state), "the planted bug lets the author approve through a key"
