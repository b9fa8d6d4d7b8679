"""Protection: what identifies a person directly is a token everywhere but in the vault."""

import json
import sqlite3
import stat
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, NotAllowed, NotReady
from regulars.govern.access import Role
from regulars.govern.audit.service import newest
from regulars.govern.protection import normalise
from regulars.govern.protection.declared import read_declared
from regulars.govern.protection.rewriting import rewritten
from regulars.govern.protection.service import VAULT_FILE, Looking, open_protector
from regulars.govern.protection.tokens import by_numbering_plan, phone_number

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PHONE, EMAIL = "13912345678", "ann.lee@example.com"


def protector_of(folder):
    return open_protector(folder, SQLState(f"sqlite:///{folder / VAULT_FILE}"))


def state_of(folder):
    url = f"sqlite:///{folder / 'state.db'}"
    migrate(url)
    return SQLState(url)


def events(*payloads, user_id=None):
    rows = [json.dumps(payload, ensure_ascii=False) for payload in payloads]
    ids = [user_id or payload.get("userId") for payload in payloads]
    return pa.table({
        "payload": pa.array(rows, pa.string()),
        "user_id": pa.array(ids, pa.string()),
        "anonymous_id": pa.array([None] * len(rows), pa.string()),
    })


def payloads_of(rows):
    return [json.loads(text) for text in rows.column("payload").to_pylist()]


def looking(role=Role.ANALYST):
    return Looking("mei", role, "u1", NOW, "she called")


def test_a_phone_number_and_an_address_become_tokens_wherever_they_are_declared(tmp_path):
    protector = protector_of(tmp_path)
    phone, email = protector.token("phone", PHONE), protector.token("email", EMAIL)

    [found] = payloads_of(
        protector.protect(
            events(
                {
                    "userId": "u1",
                    "traits": {"phone": "+86 139-1234-5678", "age": 3, "$identity_email": EMAIL},
                    "context": {"traits": {"手机号": int(PHONE)}, "externalIds": [
                        {"id": PHONE, "type": "phone", "collection": "users"}]},
                    "properties": {"receiver_mobile": float(PHONE), "phones": 2, "sku": PHONE,
                                   "url": "https://a.cn/?m=ann.lee%40example.com&x=1"},
                }
            )
        )
    )  # fmt: skip

    assert found["traits"] == {"phone": phone, "age": 3, "$identity_email": email}
    assert found["context"]["traits"]["手机号"] == phone
    assert found["context"]["externalIds"][0]["id"] == phone
    assert found["properties"]["receiver_mobile"] == phone
    assert found["properties"]["phones"] == 2
    assert found["properties"]["sku"] == PHONE
    assert found["properties"]["url"] == f"https://a.cn/?m={email}&x=1"


def test_a_login_id_that_is_a_phone_number_is_a_token_in_its_column_and_in_the_event(tmp_path):
    protector = protector_of(tmp_path)

    rows = protector.protect(events({"userId": PHONE}, {"userId": "u2"}))

    token = protector.token("phone", PHONE)
    assert rows.column("user_id").to_pylist() == [token, "u2"]
    assert [p["userId"] for p in payloads_of(rows)] == [token, "u2"]


def test_names_count_inside_traits_only(tmp_path):
    protector = protector_of(tmp_path)

    [found] = payloads_of(
        protector.protect(
            events({"traits": {"name": "王小明"}, "properties": {"name": "可口可乐 330ml"}})
        )
    )

    assert found["traits"]["name"] == protector.token("name", "王小明")
    assert found["properties"]["name"] == "可口可乐 330ml"


def test_an_event_without_identifiers_keeps_its_very_bytes(tmp_path):
    text = '{"userId": "u1", "context": {"library": {"name": "@segment/analytics-node"},'
    text += ' "userAgentData": {"mobile": false}}, "properties": {"price": 1.50}}'
    rows = events({}).set_column(0, "payload", pa.array([text]))

    assert protector_of(tmp_path).protect(rows).column("payload").to_pylist() == [text]


@pytest.mark.parametrize(
    "text",
    [
        r'{"traits": {"ph\u006fne": "13912345678"}}',
        r'{"properties": {"note": "ann.lee\u0040example.com"}}',
        r'{"properties": {"\u624b\u673a": "13912345678"}}',
        r'{"userId": "\u00313912345678"}',
    ],
)
def test_escaping_hides_nothing(tmp_path, text):
    rows = events({}).set_column(0, "payload", pa.array([text]))

    [found] = payloads_of(protector_of(tmp_path).protect(rows))

    assert "tok_" in json.dumps(found)
    assert PHONE not in json.dumps(found)
    assert "@" not in json.dumps(found)


def test_protecting_twice_changes_nothing_more(tmp_path):
    protector = protector_of(tmp_path)
    once = protector.protect(events({"userId": PHONE, "traits": {"email": EMAIL, "phone": "n/a"}}))

    assert protector.protect(once).equals(once)


def test_what_cannot_be_read_as_a_phone_number_is_covered_and_identifies_nobody(tmp_path):
    [found] = payloads_of(protector_of(tmp_path).protect(events({"traits": {"phone": "none"}})))

    assert found["traits"]["phone"].startswith("tok_text_")


def test_no_clear_value_is_in_any_file_of_the_workspace(tmp_path):
    protector = protector_of(tmp_path)
    protector.protect(events({"traits": {"email": EMAIL, "phone": PHONE}}))

    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"ann.lee" not in kept
    assert PHONE.encode() not in kept


JSON_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
KEYS = st.sampled_from([
    "phone", "Mobile_Phone", "user email", "$identity_mobile", "身份证号", "address", "name", "sku",
    "traits", "properties", "hotel", "receiver-tel", "userId", "x",
])  # fmt: skip
VALUES = st.sampled_from([PHONE, EMAIL, "ann", "", "+1 650 253 0000", 13912345678, 1.5, None, True])
NODES = st.recursive(
    VALUES | JSON_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(event=st.dictionaries(KEYS, NODES, max_size=5), escapes=st.booleans())
def test_the_look_at_whole_columns_misses_no_event_that_needs_rewriting(event, escapes):
    declared = read_declared()
    text = json.dumps(event, ensure_ascii=escapes)
    changed = rewritten(text, declared, lambda kind, value: f"<{kind}>") != text

    looked_at = pc.match_substring_regex(pa.array([text]), declared.pattern)[0].as_py()

    assert looked_at or not changed


@given(event=st.dictionaries(KEYS, NODES, max_size=5))
def test_nothing_but_declared_values_changes(event):
    text = msgspec.json.encode(event).decode()

    changed = json.loads(rewritten(text, read_declared(), lambda kind, value: value))

    assert shape_of(changed) == shape_of(event)


def shape_of(node):
    if isinstance(node, dict):
        return {key: shape_of(value) for key, value in node.items()}
    if isinstance(node, list):
        return [shape_of(value) for value in node]
    return str(int(node) if isinstance(node, float) and node.is_integer() else node)


MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True).filter(str.isascii)


@given(number=MOBILES, form=st.sampled_from([
    "{0}", "+86{0}", "86{0}", "0086{0}", "+86 {1}", "{1}", "{2}", "(+86){0}",
]))  # fmt: skip
def test_the_short_way_to_read_a_mobile_number_agrees_with_the_numbering_plans(number, form):
    spaced = f"{number[:3]} {number[3:7]} {number[7:]}"
    text = form.format(number, spaced, spaced.replace(" ", "-"))

    assert phone_number(text) == by_numbering_plan(text) == f"+86{number}"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("phone", "１３９１２３４５６７８", "+8613912345678"),
        ("phone", "021-62345678", "+862162345678"),
        ("phone", "+44 20 7946 0958", "+442079460958"),
        ("phone", "12345678901", None),
        ("phone", "unknown", None),
        ("email", "ANN.Lee＠example.com", EMAIL),
        ("email", "ann@nowhere", None),
        ("idcard", "11010519491231002x", "11010519491231002X"),
        ("name", " Ann  LEE ", "ann lee"),
    ],
)
def test_values_are_read_the_way_people_write_them(kind, text, expected):
    assert normalise(kind, text) == expected


def test_a_column_of_a_file_becomes_tokens_equal_to_those_of_events(tmp_path):
    protector = protector_of(tmp_path)

    found = protector.protect_column("phone", pa.array([PHONE, None, "", "86" + PHONE]))

    token = protector.token("phone", PHONE)
    assert found.to_pylist() == [token, None, "", token]


def test_pages_show_the_masked_form_and_find_by_the_last_four_digits(tmp_path):
    protector = protector_of(tmp_path)
    [token] = protector.protect_column("phone", pa.array([PHONE])).to_pylist()

    assert protector.masked([token, "u1"]) == {token: "139****5678"}
    assert protector.ending("phone", "5678") == [token]
    assert protector.ending("phone", "0000") == []


def test_clear_values_need_a_role_and_leave_an_audit_row(tmp_path):
    protector, state = protector_of(tmp_path), state_of(tmp_path)
    [token] = protector.protect_column("email", pa.array([EMAIL])).to_pylist()

    with pytest.raises(NotAllowed, match="at least analyst"):
        protector.reveal(state, [token], looking(Role.VIEWER))
    assert newest(state) == []

    assert protector.reveal(state, [token], looking()) == {token: EMAIL}
    [entry] = newest(state)
    assert (entry.actor, entry.action, entry.subject) == ("mei", "customer.reveal", "u1")
    assert token not in entry.detail
    assert EMAIL not in entry.detail


def test_a_shredded_value_can_never_be_shown_again_and_leaves_others_alone(tmp_path):
    protector, state = protector_of(tmp_path), state_of(tmp_path)
    gone, kept = protector.protect_column("email", pa.array([EMAIL, "b@example.com"])).to_pylist()

    assert protector.shred([gone]) == 1
    assert protector.shred([gone]) == 0

    assert protector.reveal(state, [gone, kept], looking()) == {kept: "b@example.com"}
    assert protector.masked([gone]) == {}
    assert protector.protect_column("email", pa.array([EMAIL])).to_pylist() == [gone]
    assert protector.reveal(state, [gone], looking()) == {gone: EMAIL}


def test_another_opening_of_the_workspace_gives_the_same_tokens(tmp_path):
    first = protector_of(tmp_path).token("phone", PHONE)

    assert protector_of(tmp_path).token("phone", PHONE) == first
    (tmp_path / "other").mkdir()
    assert protector_of(tmp_path / "other").token("phone", PHONE) != first


def test_keys_and_vault_are_for_their_owner_only(tmp_path):
    protector_of(tmp_path)

    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(tmp_path / "keys") == 0o700
    assert mode(tmp_path / "keys" / "workspace.key") == mode(tmp_path / VAULT_FILE) == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["workspace.key"]


def test_a_missing_wrong_or_broken_key_is_named_and_never_replaced(tmp_path):
    protector_of(tmp_path).protect_column("phone", pa.array([PHONE]))
    key = tmp_path / "keys" / "workspace.key"
    good = key.read_text("ascii")

    key.unlink()
    with pytest.raises(NotReady, match="missing"):
        protector_of(tmp_path)
    assert not key.exists()
    key.write_text("regulars-key-1 " + "0" * 64, "ascii")
    with pytest.raises(NotReady, match="not the key"):
        protector_of(tmp_path)
    key.write_text("rubbish", "ascii")
    with pytest.raises(NotReady, match="no key of a workspace"):
        protector_of(tmp_path)
    key.write_text(good, "ascii")
    assert protector_of(tmp_path).masked([]) == {}


def test_a_refused_event_is_sealed_and_opened_with_this_workspace_only(tmp_path):
    protector = protector_of(tmp_path)
    sealed = protector.seal(b'{"phone":"13912345678"}')
    (tmp_path / "other").mkdir()
    other = protector_of(tmp_path / "other")

    assert protector.unseal(sealed) == b'{"phone":"13912345678"}'
    with pytest.raises(InputError, match="cannot be opened"):
        other.unseal(sealed)
    with pytest.raises(InputError, match="not sealed"):
        protector.unseal("plain")


def test_a_value_moved_to_another_customers_row_is_not_opened(tmp_path):
    protector, state = protector_of(tmp_path), state_of(tmp_path)
    one, two = protector.protect_column("email", pa.array([EMAIL, "b@example.com"])).to_pylist()
    with sqlite3.connect(tmp_path / VAULT_FILE) as vault:
        [row] = vault.execute(
            "select wrapped_key, sealed from vault_values where token = ?", (one,)
        )
        vault.execute("update vault_values set wrapped_key = ?, sealed = ? where token = ?",
                      (*row, two))  # fmt: skip

    with pytest.raises(InputError, match="cannot be opened"):
        protector.reveal(state, [two], looking())


def test_of_an_event_too_deep_to_walk_through_nothing_nested_stays(tmp_path):
    deep = '{"a":' * 600 + '{"phone":"13912345678"}' + "}" * 600
    rows = pa.table({
        "payload": [f'{{"userId":"u","phone":"13812345678","properties":{deep}}}'],
        "user_id": ["u"],
        "anonymous_id": pa.array([None], pa.string()),
    })

    [payload] = protector_of(tmp_path).protect(rows).column("payload").to_pylist()

    told = json.loads(payload)
    assert set(told) == {"userId", "phone"}
    assert told["phone"].startswith("tok_")
