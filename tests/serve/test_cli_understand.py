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


def test_an_audience_is_saved_followed_and_taken_back(run, tmp_path):
    rule = tmp_path / "rule.toml"
    rule.write_text('all = [{ field = "monetary", is = ">=", value = 300 }]\n', "utf-8")
    assert run("understand", "segment", "save", "spenders", "--rule", rule) == (
        0,
        "audience spenders version 1\n",
    )
    code, said = run("understand", "segment", "refresh", "--json")
    [line] = json.loads(said)["audiences"]
    assert (code, line["members"], line["entered"], line["is_full"]) == (0, 48, 48, True)

    rule.write_text('all = [{ field = "monetary", is = ">=", value = 350 }]\n', "utf-8")
    assert "version 2" in run("understand", "segment", "save", "spenders", "--rule", rule)[1]
    [second] = json.loads(run("understand", "segment", "refresh", "--json")[1])["audiences"]
    assert "version 3, as version 1" in run("understand", "segment", "undo", "spenders")[1]
    [third] = json.loads(run("understand", "segment", "refresh", "--json")[1])["audiences"]
    [listed] = json.loads(run("understand", "segment", "list", "--json")[1])

    assert (second["left"], third["entered"]) == (48 - second["members"], second["left"])
    assert (listed["version"], listed["members"]) == (3, 48)
    lines = json.loads(run("understand", "segment", "history", "spenders", "--json")[1])
    assert [one["members"] for one in lines] == [48, second["members"], 48]
    assert [one["version"] for one in lines] == [1, 2, 3]
    assert "read from: profiles.monetary" in run("understand", "segment", "show", "spenders")[1]
    assert run("understand", "segment", "delete", "spenders")[1] == "audience spenders is deleted\n"
    assert "no audiences; run:" in run("understand", "segment", "list")[1]


def test_members_are_listed_and_compared_with_other_audiences(run, tmp_path):
    rule, other = tmp_path / "rule.json", tmp_path / "other.json"
    rule.write_text(json.dumps(MATURE), "utf-8")
    other.write_text(json.dumps({"not": MATURE}), "utf-8")
    run("understand", "segment", "save", "the rest", "--rule", other)

    found = json.loads(run("understand", "segment", "members", "--rule", rule, "--json")[1])
    [line] = json.loads(run("understand", "segment", "overlap", "--rule", rule, "--json")[1])

    assert (found["count"], len(set(found["members"])), found["members"][0]) == (48, 48, "c012")
    assert (line["name"], line["customers"], line["both"], line["share"]) == ("the rest", 12, 0, 0)
    code, said = run("understand", "segment", "count")
    assert (code, "give --rule FILE, or --name" in said) == (2, True)


def test_value_is_shown_by_cell_and_its_models_are_named(run):
    code, said = run("understand", "value", "--json")

    found = json.loads(said)
    assert code == 0
    assert found["customers"] == sum(cell["customers"] for cell in found["cells"]) > 0
    assert found["residual_value"] == pytest.approx(
        sum(cell["residual_value"] for cell in found["cells"])
    )
    assert "residual_value: " in run("understand", "value")[1]


def test_churn_is_shown_with_how_well_it_was_told_before(run):
    code, said = run("understand", "churn", "--json")

    found = json.loads(said)
    assert (code, found["customers"], found["at_risk"], found["above_half"]) == (0, 60, 40, 10)
    assert found["expected_to_churn"] == 16.0
    assert found["judged_on_the_weeks_before"]["hazard"]["auc"] == 0.8
    assert "hazard auc 0.8" in run("understand", "churn")[1]


def test_a_back_test_of_a_shop_that_is_too_young_says_what_to_do(run):
    for command in ("value", "churn"):
        code, said = run("understand", command, "--as-of", "2026-03-01")

        assert (code, "choose an earlier as_of" in said) == (4, True)
