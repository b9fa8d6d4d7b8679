"""API keys at the door: another system comes in with a key, and only to the API."""

import uuid
from datetime import UTC, datetime

import httpx
import pytest

from regulars.govern.access.api_keys.service import add_key, revoke_key

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def caller(server):
    """Gives a client with a key of a role, under a name of its own."""

    def made(role, *, header="authorization"):
        name = f"{role}-{header}-{uuid.uuid4().hex[:8]}"
        _, key = add_key(server.home.state, name=name, role=role, actor="test", now=NOW)
        value = f"Bearer {key}" if header == "authorization" else key
        client = httpx.Client(base_url=server.url, headers={header: value}, timeout=60)
        client.key_name = name
        return client

    return made


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_a_key_opens_what_its_role_may_see(caller, header):
    client = caller("viewer", header=header)

    assert client.get("/api/unify/customers").status_code == 200
    assert client.get("/api/govern/audit/entries").status_code == 403


def test_a_key_needs_no_form_token(caller):
    client = caller("viewer")

    assert client.post("/api/unify/customers/search", json={"text": "c001"}).json()["total"] == 1


def test_a_key_opens_no_page(caller):
    assert caller("admin").get("/customers").status_code == 303


def test_what_a_key_does_is_in_the_audit_log_under_its_name(caller, server):
    client = caller("analyst")

    assert client.post("/api/unify/customers/c001/reveal").status_code == 200
    entries = caller("admin").get("/api/govern/audit/entries").json()
    assert f"api-key:{client.key_name}" in {
        entry["actor"] for entry in entries if entry["action"] == "customer.reveal"
    }


def test_a_wrong_or_revoked_key_is_refused_even_beside_a_good_session(caller, server):
    client = caller("viewer")
    revoke_key(server.home.state, name=client.key_name, actor="test", now=NOW)
    signed_in = server.client("admin")
    signed_in.headers["authorization"] = "Bearer rk_guess"

    assert client.get("/api/unify/customers").status_code == 401
    assert signed_in.get("/api/unify/customers").status_code == 401


def test_a_session_still_needs_its_form_token(server):
    client = server.client("viewer")

    assert client.post("/api/unify/customers/search", json={"text": "c001"}).status_code == 403
