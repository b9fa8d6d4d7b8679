"""Contents and addresses in the state, on SQLite and on PostgreSQL."""

from dataclasses import replace

import pyarrow as pa
import pytest
from tests.reach.contents.conftest import NOW

from regulars.adapters.state import SQLState
from regulars.errors import InputError, UnknownName
from regulars.govern.protection.service import open_protector
from regulars.reach.content.addresses.service import clear_addresses, forget, register
from regulars.reach.content.definition import Content, Slot, Variant
from regulars.reach.content.lookup.service import Lookup
from regulars.reach.content.service import (
    content_versions,
    get_content,
    kept,
    list_contents,
    put_content,
)
from regulars.settings import Retailer

ON_BOTH = True
CONTENT = Content(
    "spring", "email", "marketing",
    {"zh-CN": Variant(subject="好", text="您好{{ customer.name }}"), "en": Variant(text="Hi")},
    ("customer.name", "profile.income_group"), {"customer.name": {"zh": "顾客"}},
    (Slot("picks", choose="recommended", count=3, url="https://shop.example/{id}"),),
)  # fmt: skip


@pytest.fixture
def protector(shop):
    return open_protector(shop.folder, SQLState(f"sqlite:///{shop.folder / 'vault.db'}"))


def test_a_content_comes_back_as_it_was_kept(shop):
    name = put_content(shop.state, CONTENT, actor="ann", at=NOW)

    found = get_content(shop.state, name)
    assert found == replace(CONTENT, version=1)
    assert kept(shop.state, "spring").actor == "ann"
    assert shop.all("select action, subject from audit_log") == [
        {"action": "content.keep", "subject": "spring@1"}
    ]


def test_versions_count_up_and_never_change(shop):
    put_content(shop.state, CONTENT, actor="ann", at=NOW)
    changed = replace(CONTENT, utm_campaign="x")
    assert put_content(shop.state, changed, actor="bob", at=NOW) == "spring@2"
    assert put_content(shop.state, changed, actor="bob", at=NOW) == "spring@2"
    assert put_content(shop.state, CONTENT, actor="bob", at=NOW) == "spring@3"

    assert [one.content.version for one in content_versions(shop.state, "spring")] == [1, 2, 3]
    assert [one.content.name for one in list_contents(shop.state)] == ["spring@3"]
    assert get_content(shop.state, "spring@1").utm_campaign == ""
    hashes = [one.hash for one in content_versions(shop.state, "spring")]
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.parametrize("name", ["none", "spring@9"])
def test_a_version_nobody_kept_is_unknown_and_the_known_ones_are_named(shop, name):
    put_content(shop.state, CONTENT, actor="ann", at=NOW)
    with pytest.raises(UnknownName, match="spring@1"):
        get_content(shop.state, name)
    with pytest.raises(InputError, match="spring@1"):
        get_content(shop.state, "spring@x")


def test_the_identifier_seen_last_is_where_a_customer_is_reached(shop, protector):
    old, new = protector.protect_column(
        "email", pa.array(["old@example.com", "new@example.com"])
    ).to_pylist()
    shop.run(
        """INSERT INTO identifiers (node, namespace, value, customer_id, ordinal, first_seen,
                                    last_seen, evidence, is_shared)
           VALUES (:node, 'email', :value, 'ann', :ordinal, :day, :day, 'test', :is_shared)""",
        {"node": "n1", "value": new, "ordinal": 1, "day": "2026-02-01", "is_shared": 0},
        {"node": "n2", "value": old, "ordinal": 2, "day": "2026-01-01", "is_shared": 0},
        {"node": "n3", "value": "tok_email_" + "0" * 32, "ordinal": 3, "day": "2026-03-01",
         "is_shared": 1},
    )  # fmt: skip

    assert clear_addresses(shop.state, protector, ["ann", "bob"], "email") == {
        "ann": "new@example.com"
    }
    register(shop.state, protector, "ann", ("email", "Mine@Example.com"), source="form", now=NOW)
    assert clear_addresses(shop.state, protector, ["ann"], "email") == {"ann": "mine@example.com"}
    assert "mine@example.com" not in str(shop.all("select * from contact_addresses"))
    protector.shred([protector.token("email", "mine@example.com")])
    assert clear_addresses(shop.state, protector, ["ann"], "email") == {}
    assert not forget(shop.state, "ann", "email", "mine@example.com")


def test_only_who_agreed_to_sensitive_fields_is_read_for_them(shop, protector):
    shop.run(
        """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
           VALUES (:who, 'sensitive', '*', :status, '2026-01-01')""",
        {"who": "ann", "status": "granted"},
        {"who": "bob", "status": "withdrawn"},
    )
    lookup = Lookup(None, shop.state, protector, Retailer())

    withheld = lookup._withheld({"profile.income_group", "profile.city"}, ["ann", "bob", "chu"])

    assert withheld == dict.fromkeys(["bob", "chu"], {"profile.income_group"})
