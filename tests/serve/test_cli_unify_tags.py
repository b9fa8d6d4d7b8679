"""`regulars unify tag`, `unify profile` and `govern api-key`, as they are typed."""

import json

import pytest

from regulars.govern.access.api_keys.service import find_key
from regulars.serve.cli import main as cli
from regulars.serve.http.door.workspaces import open_site

MATURE = {"rule": {"field": "monetary", "is": ">=", "value": 300}}


@pytest.fixture
def shop(make_shop, tmp_path):
    folder = tmp_path / "shop"
    make_shop.filled(folder)
    return folder


@pytest.fixture
def run(capsys, shop):
    """Give a function that runs a command on the shop; gives its code and what it said."""

    def called(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main([*map(str, words), "--dir", str(shop)])
        said = capsys.readouterr()
        return ended.value.code, said.out + said.err

    return called


def test_a_tag_is_added_counted_listed_and_removed(run, tmp_path):
    file = tmp_path / "tag.json"
    file.write_text(json.dumps({"kind": "rule", "definition": MATURE, "owner": "mei"}), "utf-8")

    assert run("unify", "tag", "count", "--file", file)[1].startswith("48 of 60 customers")
    assert run("unify", "tag", "add", "spenders", "--file", file) == (0, "tag spenders version 1\n")
    assert run("unify", "tag", "count", "spenders")[1].startswith("48 of 60 customers")
    code, said = run("unify", "tag", "list", "--json")
    [listed] = json.loads(said)
    assert (code, listed["lineage"], listed["owner"]) == (0, ["profiles.monetary"], "mei")
    assert run("unify", "tag", "remove", "spenders")[1] == "tag spenders is deleted\n"
    assert "no tags; run:" in run("unify", "tag", "list")[1]


def test_a_tag_is_given_by_a_list_and_taken_from_one(run, tmp_path):
    listed = tmp_path / "friends.csv"
    listed.write_text("customer_id,name\nc001,a\nc002,b\n", "utf-8")

    code, said = run("unify", "tag", "add", "friends", "--customers", listed)
    assert (code, said) == (0, "tag friends version 1, given to 2 customers\n")
    code, said = run("unify", "tag", "remove", "friends", "--customer", "c001")
    assert (code, said) == (0, "tag friends taken from 1 customers\n")
    code, said = run("unify", "tag", "add", "friends", "--customer", "c003", "--json")
    assert json.loads(said) == {"name": "friends", "version": 1, "given": 1}


def test_what_is_wrong_is_said(run, tmp_path):
    file = tmp_path / "tag.json"
    file.write_text("[", "utf-8")
    (tmp_path / "ids.csv").write_text("id\n1\n", "utf-8")

    assert "is not readable JSON" in run("unify", "tag", "add", "x", "--file", file)[1]
    assert "give the name of a tag, or --file" in run("unify", "tag", "count")[1]
    code, said = run("unify", "tag", "add", "x", "--customers", tmp_path / "ids.csv")
    assert (code, "has no column customer_id" in said) == (2, True)


def test_what_files_told_is_read_online_after_loading(run):
    code, said = run("unify", "profile", "load", "--json")

    assert (code, json.loads(said)["orders"]) == (0, 180)
    code, said = run("unify", "profile", "show", "login", "c001")
    assert (code, json.loads(said)["indicators"]["orders"]) == (0, 3.0)
    code, said = run("unify", "profile", "show", "login", "nobody")
    assert (code, "nobody is known by this login" in said) == (4, True)


def test_an_api_key_is_shown_once_listed_and_revoked(run, shop):
    code, said = run("govern", "api-key", "add", "crm", "--role", "viewer", "--json")
    made = json.loads(said)
    state = open_site(shop).home.state
    assert (code, made["name"], made["role"]) == (0, "crm", "viewer")
    assert find_key(state, made["key"]).name == "crm"

    [listed] = json.loads(run("govern", "api-key", "list", "--json")[1])
    assert made["key"] not in str(listed)
    assert run("govern", "api-key", "revoke", "crm")[1] == "the key of crm is revoked\n"
    assert find_key(state, made["key"]) is None
    assert "revoked 2" in run("govern", "api-key", "list")[1]
