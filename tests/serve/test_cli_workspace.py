"""`regulars init` and `regulars doctor` on real folders."""

import json
import sqlite3
from decimal import Decimal

import pytest

from regulars.serve import doctor
from regulars.serve.cli.main import main
from regulars.serve.doctor import Level, examine
from regulars.serve.settings_file import described_settings, settings_text
from regulars.settings import Settings, read_settings


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


@pytest.fixture
def shop(tmp_path, capsys):
    folder = tmp_path / "shop"
    assert run(capsys, "init", folder)[0] == 0
    return folder


def levels(folder):
    return {finding.check: finding.level for finding in examine(folder)}


def test_a_new_workspace_has_the_default_settings_and_passes_the_doctor(shop):
    assert read_settings(shop) == Settings()
    assert Level.FAIL not in levels(shop).values()
    assert levels(shop)["state"] is Level.OK


def test_init_again_changes_nothing_a_person_wrote(shop, capsys):
    settings = shop / "regulars.toml"
    settings.write_text(
        settings.read_text("utf-8").replace('name = "My shop"', 'name = "老王"'), "utf-8"
    )

    code, said, _ = run(capsys, "init", shop, "--json")

    assert (code, json.loads(said)["made"]) == (0, False)
    assert read_settings(shop).retailer.name == "老王"


def test_init_takes_the_retailer_as_given(tmp_path, capsys):
    assert (
        run(
            capsys,
            "init",
            tmp_path / "a",
            "--name",
            '老王 "1"',
            "--zone",
            "Europe/Paris",
            "--currency",
            "EUR",
        )[0]
        == 0
    )

    retailer = read_settings(tmp_path / "a").retailer
    assert (retailer.name, retailer.zone, retailer.currency) == ('老王 "1"', "Europe/Paris", "EUR")


def test_init_leaves_a_folder_of_other_files_alone(tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("dear")

    code, _, said = run(capsys, "init", tmp_path)

    assert code == 2
    assert "not empty" in said
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_init_with_an_impossible_zone_leaves_nothing_behind(tmp_path, capsys):
    code, _, said = run(capsys, "init", tmp_path / "a", "--zone", "Mars/North")

    assert code == 2
    assert "IANA zone" in said
    assert list((tmp_path / "a").iterdir()) == []


def test_every_setting_is_in_the_file_with_its_meaning():
    text = settings_text({"loop": {"weekly_budget": "70"}})

    assert all(
        f"{setting.name} = " in text and setting.means in text for setting in described_settings()
    )
    assert '\nweekly_budget = "70"\n' in text


def test_the_file_init_writes_means_what_the_defaults_mean(tmp_path):
    text = settings_text({}).replace("\n# ", "\n")
    known = {line for line in text.split("\n") if " = " in line or line.startswith("[")}
    (tmp_path / "regulars.toml").write_text(
        "\n".join(line for line in text.split("\n") if line in known), "utf-8"
    )

    read = read_settings(tmp_path)

    assert read == Settings()
    assert isinstance(read.loop.weekly_budget, Decimal)


def test_the_doctor_names_a_folder_that_is_no_workspace(tmp_path, capsys):
    code, said, _ = run(capsys, "doctor", "--dir", tmp_path, "--json")

    report = json.loads(said)
    assert (code, report["ok"]) == (1, False)
    assert "regulars init" in report["checks"][-1]["says"]


def test_the_doctor_finds_a_missing_and_a_damaged_state_db(shop):
    state = shop / "state.db"
    whole = state.read_bytes()
    state.write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:])
    assert levels(shop)["state"] is Level.FAIL

    state.unlink()
    assert levels(shop)["state"] is Level.FAIL


def test_the_doctor_finds_an_old_schema(shop):
    with sqlite3.connect(shop / "state.db") as state:
        state.execute("UPDATE alembic_version SET version_num = '0000'")

    assert levels(shop)["state"] is Level.WARN


def test_the_doctor_names_a_turn_that_was_interrupted(shop):
    with sqlite3.connect(shop / "state.db") as state:
        state.execute(
            "INSERT INTO turns VALUES (3, '2026-03-01', '2026-03-02T02:00:00+00:00', 7, 'open')"
        )

    [turn] = [finding for finding in examine(shop) if finding.check == "turn"]

    assert turn.level is Level.WARN
    assert turn.todo == f"run: regulars run --dir {shop} --as-of 2026-03-01"


def test_the_doctor_finds_an_audit_log_that_was_changed(shop, capsys, tmp_path):
    (tmp_path / "password").write_text("correct horse battery")
    words = (
        "govern",
        "user",
        "add",
        "anna",
        "--role",
        "viewer",
        "--password-file",
        tmp_path / "password",
    )
    assert run(capsys, *words, "--dir", shop)[0] == 0
    assert levels(shop)["audit"] is Level.OK

    with sqlite3.connect(shop / "state.db") as state:
        state.execute("UPDATE audit_log SET actor = 'somebody else' WHERE number = 1")

    assert levels(shop)["audit"] is Level.FAIL


def test_the_doctor_names_a_table_that_lost_a_file(shop):
    import pyarrow as pa
    from deltalake import write_deltalake

    write_deltalake(str(shop / "lake" / "orders"), pa.table({"a": [1]}))
    assert levels(shop)["lake"] is Level.OK

    next((shop / "lake" / "orders").glob("*.parquet")).unlink()

    [lake] = [finding for finding in examine(shop) if finding.check == "lake"]
    assert lake.level is Level.FAIL
    assert "orders" in lake.says


@pytest.mark.parametrize(
    ("free", "level"), [(10 * 1024**3, Level.OK), (1024**3, Level.WARN), (1, Level.FAIL)]
)
def test_the_doctor_weighs_the_free_disk(monkeypatch, shop, free, level):
    monkeypatch.setattr(
        doctor.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": free})
    )

    assert levels(shop)["disk"] is level


def test_the_doctor_names_a_folder_that_is_missing(shop):
    (shop / "outbox").rmdir()

    assert levels(shop)["permissions"] is Level.FAIL
