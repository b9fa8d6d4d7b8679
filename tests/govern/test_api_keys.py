"""API keys: given out once, kept as hashes, with a role, revoked at once."""

import json
from datetime import UTC, datetime

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, UnknownName
from regulars.govern.access.api_keys.service import add_key, find_key, list_keys, revoke_key
from regulars.govern.access.roles import Role
from regulars.govern.audit.service import newest

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    return SQLState(url)


def given_out(state, name="crm", role="viewer"):
    return add_key(state, name=name, role=role, actor="mei", now=NOW)


def test_a_key_is_found_by_what_was_sent_and_says_its_role(state):
    made, key = given_out(state, role="analyst")

    assert key.startswith("rk_")
    assert find_key(state, key) == made
    assert made.role is Role.ANALYST
    assert made.actor == "api-key:crm"


def test_nothing_kept_is_the_key(state, tmp_path):
    _, key = given_out(state)
    state.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert key.encode() not in kept
    assert b"rk_" in kept


@pytest.mark.parametrize("sent", ["", "rk_", "rk_guess", "Bearer", "' or 1=1"])
def test_what_is_no_key_finds_nobody(state, sent):
    given_out(state)

    assert find_key(state, sent) is None


def test_two_keys_are_never_the_same(state):
    keys = {given_out(state, name=f"s{n}")[1] for n in range(20)}

    assert len(keys) == 20


def test_a_revoked_key_finds_nobody_and_stays_in_the_list(state):
    _, key = given_out(state)

    revoke_key(state, name="crm", actor="mei", now=NOW)
    revoke_key(state, name="crm", actor="mei", now=NOW)

    assert find_key(state, key) is None
    assert [one.revoked_at for one in list_keys(state)] == ["2026-03-02T00:00:00+00:00"]
    assert [entry.action for entry in newest(state)] == ["api_key.revoke", "api_key.add"]


def test_a_name_is_used_once_even_after_it_was_revoked(state):
    given_out(state)
    revoke_key(state, name="crm", actor="mei", now=NOW)

    with pytest.raises(InputError, match="given out before; choose another"):
        given_out(state)


def test_what_is_wrong_with_a_key_is_said(state):
    with pytest.raises(UnknownName, match="no role named 'boss'"):
        given_out(state, role="boss")
    with pytest.raises(InputError, match="key name is 'a b'"):
        given_out(state, name="a b")
    with pytest.raises(UnknownName, match="no API key named 'crm'"):
        revoke_key(state, name="crm", actor="mei", now=NOW)


def test_the_audit_log_knows_the_name_and_not_the_key(state):
    _, key = given_out(state)
    [entry] = newest(state)

    assert (entry.actor, entry.subject, json.loads(entry.detail)) == (
        "mei",
        "crm",
        {"role": "viewer"},
    )
    assert key not in str(entry)
