"""`regulars unify resolve` as its caller meets it."""

import csv
import json

import pyarrow.csv as pcsv
import pytest

from regulars.serve.cli import main as cli
from regulars.testing.people import make_records

FIELDS = ["编号", "姓名", "手机", "生日", "备注"]
ROWS = [
    ["1", "王小明", "138 0013 8001", "1980年5月1日", "会员"],
    ["2", "王小明", "+8613800138001", "1980-05-01", ""],
    ["3", "李雷", "13900139002", "1991/12/3", 'says "hi", often'],
]


@pytest.fixture
def members(tmp_path):
    path = tmp_path / "members.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([FIELDS, *ROWS])
    return path


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_file_that_stands_alone_comes_back_with_a_customer_id(capsys, members, tmp_path):
    code, out, _ = run(capsys, "unify", "resolve", members, "--out", tmp_path / "o.csv", "--json")

    [head, *rows] = rows_of(tmp_path / "o.csv")
    report = json.loads(out)
    assert code == 0
    assert head == [*FIELDS, "customer_id"]
    assert [row[:-1] for row in rows] == ROWS
    assert rows[0][-1] == rows[1][-1] != rows[2][-1]
    assert (report["records"], report["customers"], report["guessed"]) == (3, 2, True)
    assert report["mapping"]["phone"] == "手机"
    assert set(report["seconds"]) >= {"read", "block", "cluster", "write"}


def test_a_workspace_remembers_and_a_mapping_wins_over_the_guess(capsys, members, tmp_path):
    run(capsys, "init", tmp_path / "shop")
    mapping = tmp_path / "m.toml"
    mapping.write_text('source = "crm"\nid = "编号"\nfull_name = "姓名"\nlogin = "备注"\n', "utf-8")
    words = ("unify", "resolve", members, "--mapping", mapping, "--dir", tmp_path / "shop")

    _, out, _ = run(capsys, *words, "--out", tmp_path / "o.csv", "--json", "--apply")
    code, again, _ = run(capsys, *words, "--out", tmp_path / "o2.csv", "--explain", "1")

    assert json.loads(out)["mapping"] == {"id": "编号", "login": "备注", "full_name": "姓名"}
    assert code == 0
    assert "0 new, 0 changed" in again
    assert "会员 is records 1" in again
    assert rows_of(tmp_path / "o.csv") == rows_of(tmp_path / "o2.csv")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "o.xlsx"], "ends in .csv or .parquet"),
        (["--out", "none/o.csv"], "there is no such folder"),
        (["--out", "o.csv", "--objective", "recall"], "no objective named 'recall'; known: f1"),
        (["--out", "o.csv", "--apply"], "give --dir"),
        (["--out", "o.csv", "--precision", "7"], "at least .5 and below 1"),
        (["--out", "members.csv"], "is the file that is read"),
        (["--out", "o.csv", "--explain", "9"], "no record or customer named '9'"),
    ],
)
def test_a_slip_is_told_in_one_sentence(capsys, members, monkeypatch, words, says):
    monkeypatch.chdir(members.parent)

    code, _, err = run(capsys, "unify", "resolve", members, *words)

    assert code == 2
    assert says in err


def test_a_file_that_is_no_table_is_refused(capsys, tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"nothing of the kind")

    code, _, err = run(capsys, "unify", "resolve", tmp_path / "a.parquet", "--out", "o.csv")

    assert code == 2
    assert "cannot be read as a table" in err


def test_a_waterfall_is_shown_field_by_field(capsys, tmp_path):
    pcsv.write_csv(make_records(2_000, seed=1).drop_columns("person"), tmp_path / "p.csv")
    words = ("unify", "resolve", tmp_path / "p.csv", "--out", tmp_path / "o.csv")
    run(capsys, *words)
    ids = [row[-1] for row in rows_of(tmp_path / "o.csv")[1:]]
    twice = next(one for one in ids if ids.count(one) == 2)

    code, out, _ = run(capsys, *words, "--explain", twice)

    assert code == 0
    assert f"{twice} is records" in out
    for field in ("prior", "name", "birth_date", "phone", "household"):
        assert f"  {field}" in out
