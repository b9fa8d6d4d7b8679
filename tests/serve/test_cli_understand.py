"""`regulars understand segment`, as it is typed."""

import json

import pytest

from regulars.serve.cli import main as cli

MATURE = {"field": "monetary", "is": ">=", "value": 300}


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


def test_a_rule_in_a_file_is_counted(run, tmp_path):
    rule = tmp_path / "rule.json"
    rule.write_text(json.dumps(MATURE), "utf-8")

    code, said = run("understand", "segment", "count", "--rule", rule, "--json")
    assert (code, json.loads(said)["customers"], json.loads(said)["known"]) == (0, 48, 60)


def test_a_rule_that_cannot_be_used_is_refused_with_its_place(run, tmp_path):
    rule = tmp_path / "rule.json"
    rule.write_text(json.dumps(MATURE | {"is": "about"}), "utf-8")

    code, said = run("understand", "segment", "count", "--rule", rule)
    assert (code, "rule.is is 'about', must be one of: = != <" in said) == (2, True)
