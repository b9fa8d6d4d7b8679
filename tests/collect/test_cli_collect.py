"""`regulars collect import`, as a person runs it."""

import json

import pytest

from regulars.serve.cli.main import main

ORDERS = "order_id,customer_id,ordered_at,total\no1,c1,2026-11-02 09:00,10.00\no2,c1,2026-11-02,x\n"


@pytest.fixture
def run(tmp_path, capsys):
    def call(*words):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    (tmp_path / "orders.csv").write_text(ORDERS)
    assert call("init", tmp_path / "shop")[0] == 0
    return call


def test_it_prints_the_ledger_and_the_first_rows_held_back(run, tmp_path):
    code, out, _ = run("collect", "import", tmp_path / "orders.csv", "--dir", tmp_path / "shop")

    assert code == 0
    assert out.splitlines()[1].split() == ["orders.csv", "orders", "2", "1", "0", "1"]
    assert "orders.csv row 2: wrong_type, total = 'x'" in out


def test_json_is_the_list_of_results(run, tmp_path):
    shop = ("--dir", tmp_path / "shop", "--json")

    _, first, _ = run("collect", "import", tmp_path / "orders.csv", *shop)
    _, again, _ = run("collect", "import", tmp_path / "orders.csv", *shop)

    [result] = json.loads(first)
    assert (result["table"], result["received"], result["stored"]) == ("orders", 2, 1)
    assert result["problems"][0]["reason"] == "wrong_type"
    assert [(r["stored"], r["is_new"]) for r in json.loads(again)] == [(1, False)]


def test_a_dry_run_says_that_nothing_was_written(run, tmp_path):
    shop = tmp_path / "shop"

    code, out, _ = run("collect", "import", tmp_path / "orders.csv", "--dir", shop, "--dry-run")

    assert code == 0
    assert "Nothing was written" in out
    assert not (shop / "lake" / "orders").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["none.csv"], 2, "there is no file"),
        (["orders.csv", "--mapping", "none.toml"], 2, "check the path"),
        (["orders.csv", "--dir", "nowhere"], 4, "regulars init"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_an_exit_code(
    run, tmp_path, monkeypatch, words, code, says
):
    monkeypatch.chdir(tmp_path)
    where = [] if "--dir" in words else ["--dir", "shop"]

    ended, _, err = run("collect", "import", *words, *where)

    assert ended == code
    assert says in err


def test_a_source_that_cannot_be_read_holds_up_no_other(run, tmp_path):
    shop = tmp_path / "shop"
    for name, kind in (("a", "partner"), ("b", "reviews"), ("c", "weather")):
        text = f'[sources.{name}]\nkind = "{kind}"\nvia = "folder"\npath = "{kind}"\n'
        (shop / "regulars.toml").open("a").write(text)
        if kind != "reviews":
            run("collect", "sources", kind, "--out", shop / kind)

    code, out, err = run("collect", "pull", "--dir", shop)
    told, as_json, _ = run("collect", "pull", "--dir", shop, "--json")

    assert (code, told) == (3, 3)
    assert "c  weather.csv  weather_days: 2 stored" in out
    assert "a: not read: source 'a' of kind partner has no recorded legal basis" in err
    assert "b: not read: there is no folder" in err
    assert [sorted(json.loads(line)) for line in as_json.splitlines()] == [
        ["error", "source"], ["error", "source"], ["results", "source", "unreadable"]
    ]  # fmt: skip


def test_a_file_that_cannot_be_read_is_named_in_the_answer(run, tmp_path):
    shop = tmp_path / "shop"
    text = '[sources.views]\nkind = "reviews"\nvia = "folder"\npath = "drop"\n'
    (shop / "regulars.toml").open("a").write(text)
    run("collect", "sources", "reviews", "--out", shop / "drop")
    (shop / "drop" / "list.json").write_text('[{"id": "a"},\n{"id": ]')

    code, as_json, _ = run("collect", "pull", "--dir", shop, "--json")
    _, out, err = run("collect", "pull", "--dir", shop)

    said = json.loads(as_json)
    [apart] = said["unreadable"]
    assert (apart["file"], apart["line"]) == ("drop/list.json", 2)
    assert "is not readable JSON" in apart["reason"]
    assert [one["stored"] for one in said["results"]] == [2]
    assert "views  drop/list.json, line 2: not read: " in err
    assert (code, out) == (2, "")
