"""Users, passwords, sessions and throttling, on a real state file."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, UnknownName
from regulars.govern.access.passwords import ScryptCost, hash_password, is_password
from regulars.govern.access.roles import ANYONE, Role, RoleMatrix, covers
from regulars.govern.access.service import (
    SESSION_HOURS,
    add_user,
    disable_user,
    find_session,
    list_users,
    set_password,
    sign_in,
    sign_out,
)
from regulars.govern.access.throttle import LONGEST_SECONDS, wait_seconds
from regulars.govern.audit.service import newest

CHEAP = ScryptCost(16, 1, 1)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    opened = SQLState(url)
    yield opened
    opened.close()


def add(state, name="mei", role="marketer"):
    return add_user(
        state, name=name, role=role, password=PASSWORD, actor="test", now=NOW, cost=CHEAP
    )


def attempt(state, password=PASSWORD, *, name="mei", address="10.0.0.1", now=NOW):
    return sign_in(state, name=name, password=password, address=address, now=now)


def every_text(state):
    with state.reading() as reading:
        tables = [
            r["name"] for r in reading.all("select name from sqlite_master where type = 'table'")
        ]
        return "\n".join(
            str(row) for table in tables for row in reading.all("select * from " + table)
        )


def test_the_published_scrypt_vector_holds():
    # RFC 7914 section 12, third vector; cut to the 32 bytes we keep (scrypt's last step is
    # PBKDF2, whose first block does not depend on the length asked for).
    published = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    kept = hash_password("pleaseletmein", cost=ScryptCost(16384, 8, 1), salt=b"SodiumChloride")

    assert (
        kept
        == f"scrypt$16384$8$1$U29kaXVtQ2hsb3JpZGU=${base64.b64encode(bytes.fromhex(published)).decode()}"
    )


@given(st.text(min_size=10, max_size=40), st.text(max_size=40))
def test_only_the_same_password_is_the_password(right, other):
    kept = hash_password(right, cost=CHEAP)

    assert is_password(right, kept)
    assert is_password(other, kept) == (other == right)


def test_the_same_password_is_never_hashed_to_the_same_text():
    assert hash_password(PASSWORD, cost=CHEAP) != hash_password(PASSWORD, cost=CHEAP)


def test_a_short_password_is_refused_with_the_length_wanted(state):
    with pytest.raises(InputError, match="9 characters, must have from 10"):
        add_user(state, name="mei", role="viewer", password="short one", actor="test", now=NOW)


def test_a_user_signs_in_and_is_found_by_the_token(state):
    add(state)

    outcome = attempt(state)

    session = find_session(state, outcome.token, now=NOW)
    assert session.user.name == "mei"
    assert session.user.role is Role.MARKETER
    assert session.expires_at == NOW + timedelta(hours=SESSION_HOURS)
    assert len(session.csrf_token) >= 43


def test_neither_password_nor_token_is_kept(state):
    add(state)
    outcome = attempt(state)

    kept = every_text(state)

    assert PASSWORD not in kept
    assert outcome.token not in kept
    assert hashlib.sha256(outcome.token.encode()).hexdigest() in kept


@pytest.mark.parametrize(
    ("name", "password"), [("mei", "wrong horse battery"), ("nobody", PASSWORD), ("", "")]
)
def test_a_wrong_name_or_password_opens_nothing(state, name, password):
    add(state)

    outcome = attempt(state, password, name=name)

    assert outcome.token is None
    assert outcome.user is None


def test_a_session_ends_when_its_time_is_over(state):
    add(state)
    token = attempt(state).token
    end = NOW + timedelta(hours=SESSION_HOURS)

    assert find_session(state, token, now=end - timedelta(seconds=1))
    assert find_session(state, token, now=end) is None


def test_a_session_ends_when_the_password_changes(state):
    add(state)
    token = attempt(state).token

    set_password(state, name="mei", password="another horse", actor="test", now=NOW, cost=CHEAP)

    assert find_session(state, token, now=NOW) is None
    assert attempt(state).token is None
    assert attempt(state, "another horse").token


def test_a_session_of_an_older_version_is_dead_even_when_its_row_survives(state):
    add(state)
    token = attempt(state).token

    with state.transaction() as transaction:
        transaction.run("update users set version = version + 1")

    assert find_session(state, token, now=NOW) is None


def test_a_disabled_user_is_out_at_once_and_stays_out(state):
    add(state)
    token = attempt(state).token

    disable_user(state, name="mei", actor="test", now=NOW)

    assert find_session(state, token, now=NOW) is None
    assert attempt(state).token is None
    assert [user.is_disabled for user in list_users(state)] == [True]


def test_signing_out_ends_one_session_and_leaves_the_other(state):
    add(state)
    first, second = attempt(state).token, attempt(state).token

    sign_out(state, first, actor="mei", now=NOW)

    assert find_session(state, first, now=NOW) is None
    assert find_session(state, second, now=NOW)


def test_a_guesser_waits_longer_and_longer_even_with_the_right_password(state):
    add(state)
    for _ in range(5):
        assert attempt(state, "wrong horse battery").wait_seconds == 0

    assert attempt(state).wait_seconds >= 1
    assert attempt(state).token is None
    assert attempt(state, now=NOW + timedelta(seconds=3)).token


def test_throttling_one_address_leaves_the_user_free_elsewhere(state):
    add(state)
    for _ in range(6):
        attempt(state, "wrong horse battery")

    assert attempt(state, address="10.0.0.2").token


def test_an_unknown_name_is_throttled_like_a_known_one(state):
    for _ in range(5):
        attempt(state, name="nobody")

    assert attempt(state, name="nobody").wait_seconds >= 1


def test_failures_are_forgotten_after_an_hour(state):
    add(state)
    for _ in range(5):
        attempt(state, "wrong horse battery")

    later = NOW + timedelta(hours=1, seconds=1)
    assert attempt(state, "wrong horse battery", now=later).wait_seconds == 0
    assert "pair:" in every_text(state)


@given(st.integers(0, 10_000), st.integers(0, 100))
def test_waiting_never_shrinks_and_never_passes_a_quarter_of_an_hour(failures, free):
    assert (
        0
        <= wait_seconds(failures, free=free)
        <= wait_seconds(failures + 1, free=free)
        <= LONGEST_SECONDS
    )


def test_a_name_is_given_once_and_a_wrong_one_is_explained(state):
    add(state)

    with pytest.raises(InputError, match="exists already"):
        add(state)
    with pytest.raises(InputError, match="must be 1 to 64 letters"):
        add(state, name="a b")
    with pytest.raises(UnknownName, match="known: admin, analyst, approver, marketer, viewer"):
        add(state, name="b", role="boss")
    with pytest.raises(UnknownName, match="no user named 'ghost'; known: mei"):
        disable_user(state, name="ghost", actor="test", now=NOW)


def test_everything_done_to_users_is_in_the_audit_log(state):
    add(state)
    token = attempt(state).token
    attempt(state, "wrong horse battery")
    attempt(state, name=PASSWORD)
    sign_out(state, token, actor="mei", now=NOW)
    disable_user(state, name="mei", actor="test", now=NOW)

    entries = newest(state)

    assert [(e.actor, e.action, e.subject) for e in reversed(entries)] == [
        ("test", "user.add", "mei"),
        ("mei", "session.open", "mei"),
        ("mei", "session.refuse", "mei"),
        ("unknown", "session.refuse", "unknown"),
        ("mei", "session.close", "mei"),
        ("test", "user.disable", "mei"),
    ]
    assert PASSWORD not in every_text(state)


def test_each_role_may_do_what_the_roles_before_it_may():
    roles = list(Role)

    assert [[covers(a, b) for b in roles] for a in roles] == [
        [i >= j for j in range(5)] for i in range(5)
    ]


@given(st.text(), st.sampled_from([None, *Role]))
def test_what_the_matrix_does_not_list_is_refused(route, role):
    matrix = RoleMatrix({"GET /": Role.VIEWER, "GET /healthz": ANYONE})

    assert matrix.allows(route, role) == (
        route == "GET /healthz" or (route == "GET /" and role is not None)
    )
