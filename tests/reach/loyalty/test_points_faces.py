"""`regulars reach points` on a real workspace."""

import json
import re
import shlex
from pathlib import Path

import pytest

from regulars.serve.cli.main import main

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "explanation" / "points-ledger.md"
HOW_TO = DOCS / "how-to" / "run-a-points-programme.md"


@pytest.fixture
def folder(tmp_path, capsys):
    run(capsys, "init", tmp_path / "shop")
    return tmp_path / "shop"


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_the_page_about_the_ledger_is_true_command_by_command(folder, capsys):
    [block] = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    lines = [line.replace("--dir shop", f"--dir {folder}") for line in block.strip().split("\n")]

    told = [run(capsys, *shlex.split(line)[1:]) for line in lines]

    assert [code for code, _, _ in told] == [0, 0, 0, 0]
    assert json.loads(told[-1][1])["active"] == 100


def test_points_are_posted_once_redeemed_or_refused_with_an_exit_code_and_told_as_json(
    folder, capsys
):
    post = (
        "reach",
        "points",
        "post",
        "--customer",
        "ann",
        "--points",
        80,
        "--key",
        "a",
        "--dir",
        folder,
        "--json",
    )
    redeem = (
        "reach",
        "points",
        "redeem",
        "--customer",
        "ann",
        "--points",
        90,
        "--key",
        "b",
        "--dir",
        folder,
        "--json",
    )

    first, again = run(capsys, *post), run(capsys, *post)
    code, said, _ = run(capsys, *redeem)
    wrong, _, why = run(capsys, *[word if word != 80 else 81 for word in post[:-1]])

    assert [json.loads(said)["is_new"] for _, said, _ in (first, again)] == [True, False]
    assert (code, json.loads(said)["refused"]) == (1, "not_enough")
    assert (wrong, "was used to earn 80 points of ann" in why) == (2, True)


def test_the_history_reads_well(folder, capsys):
    for key, amount, now in (("a", 80, "2026-03-01T10:00"), ("b", 20, "2026-03-02T10:00")):
        run(
            capsys,
            "reach",
            "points",
            "post",
            "--customer",
            "ann",
            "--points",
            amount,
            "--key",
            key,
            "--now",
            now,
            "--dir",
            folder,
        )

    _, said, _ = run(capsys, "reach", "points", "history", "--customer", "ann", "--dir", folder)
    nobody = run(capsys, "reach", "points", "history", "--customer", "bob", "--dir", folder)

    assert [line.split()[1:3] for line in said.splitlines()] == [["earn", "+20"], ["earn", "+80"]]
    assert nobody[1] == "no points yet\n"


def test_the_page_about_the_programme_is_true_command_by_command(folder, capsys):
    text = HOW_TO.read_text("utf-8")
    [rules], [block] = (re.findall(rf"```{kind}\n(.*?)```", text, re.S) for kind in ("toml", "sh"))
    (folder / "rules.toml").write_text(rules, "utf-8")
    lines = [
        line.replace("rules.toml", str(folder / "rules.toml")) for line in block.strip().split("\n")
    ]

    told = [
        run(capsys, *shlex.split(line.replace("--dir shop", f"--dir {folder}"))[1:])
        for line in lines
    ]

    assert [code for code, _, _ in told] == [0] * len(lines)
    assert told[-2][1] == "every draw of round 1 comes out as it was told\n"


@pytest.mark.parametrize("command", [["rules", "check"], ["rules", "put"], ["simulate"]])
def test_rules_that_are_no_text_are_refused_in_words(folder, capsys, command):
    (folder / "rules.toml").write_bytes(b'name = "\xff\x80"\n')

    code, _, why = run(capsys, "reach", "points", *command, folder / "rules.toml", "--dir", folder)

    assert (code, "is not UTF-8 text" in why, "Traceback" in why) == (2, True, False)


def test_a_reward_is_a_code_of_its_offer_and_without_one_no_point_is_spent(folder, capsys):
    (folder / "rules.toml").write_text(
        'name="a"\nstarts_on=2026-01-01\npoint_value="0.01"\n[[rewards]]\nid="cup"\noffer_id="free_cup"\npoints=60\n'
    )
    run(capsys, "reach", "points", "rules", "put", folder / "rules.toml", "--dir", folder)
    run(
        capsys,
        "reach",
        "points",
        "post",
        "--customer",
        "ann",
        "--points",
        100,
        "--key",
        "a",
        "--dir",
        folder,
    )

    code, _, why = run(
        capsys, "reach", "points", "buy", "cup", "--customer", "ann", "--key", "r", "--dir", folder
    )
    _, said, _ = run(
        capsys, "reach", "points", "balance", "--customer", "ann", "--dir", folder, "--json"
    )

    assert (code, "free_cup" in why) == (2, True)
    assert json.loads(said)["active"] == 100
