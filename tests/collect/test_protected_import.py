"""A members' file: phone numbers and addresses land as tokens, refused rows are sealed."""

from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from regulars.app import open_app
from regulars.collect.sources import mapping_by_name
from regulars.collect.sources.service import import_files
from regulars.serve.cli.main import main
from regulars.unify.identity.service import members, owner
from regulars.unify.identity.step import adopt_members

PHONE, EMAIL = "13912345678", "ann.lee@example.com"
FILE = (
    "customer_id,name,phone,email,joined_on\n"
    f"u1,安,+86 139 1234 5678,{EMAIL},2025-01-01\n"
    "u2,李,,,2025-01-02\n"
    f"u3,王,{PHONE},x@example.com,someday\n"
)


@pytest.fixture
def shop(tmp_path):
    main_of("init", tmp_path / "shop")
    return open_app(tmp_path / "shop")


def main_of(*words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == 0


def take_in(shop, text, *, is_protected=True, **options):
    path = shop.folder / "customers.csv"
    path.write_text(text, encoding="utf-8")
    protector = shop.protector if is_protected else None
    [result] = import_files(
        shop.lake, [path], mapping_by_name(), zone="Asia/Shanghai", protector=protector, **options
    )
    path.unlink()
    return result


def rows_of(shop, table):
    return [row for path in shop.lake.files(table) for row in pq.read_table(path).to_pylist()]


def test_the_lake_holds_tokens_and_the_vault_their_values(shop):
    take_in(shop, FILE)

    [one, two] = sorted(rows_of(shop, "customers"), key=lambda row: row["customer_id"])
    phone = shop.protector.token("phone", PHONE)
    assert (one["name"], one["phone"]) == ("安", phone)
    assert one["email"] == shop.protector.token("email", EMAIL)
    assert (two["phone"], two["email"]) == (None, None)
    assert shop.protector.masked([phone]) == {phone: "139****5678"}


def test_a_refused_row_is_sealed_and_can_be_opened_again(shop):
    take_in(shop, FILE)

    [refused] = rows_of(shop, "quarantine")
    assert (refused["column"], refused["value"]) == ("joined_on", "someday")
    assert PHONE not in refused["raw"]
    assert shop.protector.unseal(refused["raw"]).decode().startswith(f"u3,王,{PHONE}")


def test_no_clear_value_of_the_file_is_anywhere_in_the_workspace(shop):
    take_in(shop, FILE)
    shop.state.close()

    kept = b"".join(path.read_bytes() for path in shop.folder.rglob("*") if path.is_file())
    assert PHONE.encode() not in kept
    assert b"ann.lee" not in kept


def test_a_dry_run_keeps_nothing_in_the_vault(shop):
    take_in(shop, FILE, dry_run=True)

    assert shop.protector.masked([shop.protector.token("phone", PHONE)]) == {}


def test_a_member_stored_in_clear_before_is_known_again(shop):
    take_in(shop, FILE, is_protected=False)
    assert {row["phone"] for row in rows_of(shop, "customers")} == {"+86 139 1234 5678", None}

    result = take_in(shop, FILE + "u4,赵,13812340000,,2025-01-03\n")

    assert (result.stored, result.duplicate, result.quarantined) == (1, 2, 1)
    assert shop.protector.token("phone", "13812340000") in {
        row["phone"] for row in rows_of(shop, "customers")
    }


def test_the_command_shows_what_it_held_back_masked(shop, capsys):
    path = shop.folder / "customers.csv"
    path.write_text(
        "customer_id,name,phone,email\n"
        f"u1,Ann,{PHONE},{EMAIL}\nu1,Bea,{PHONE},{EMAIL}\n", encoding="utf-8"
    )  # fmt: skip

    main_of("collect", "import", path, "--dir", shop.folder)
    main_of("collect", "import", path, "--dir", shop.folder, "--dry-run", "--json")

    said = capsys.readouterr().out
    assert "duplicate_line" in said
    assert PHONE not in said
    assert "ann.lee" not in said


def test_the_command_makes_members_known_by_phone_number_before_any_event(shop):
    path = shop.folder / "customers.csv"
    path.write_text(FILE, encoding="utf-8")

    main_of("collect", "import", path, "--dir", shop.folder)

    phone = shop.protector.token("phone", PHONE)
    assert owner(shop.state, "phone", phone) == "u1"
    assert {one.namespace for one in members(shop.state, "u1")} == {"login", "phone", "email"}
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert adopt_members.run(shop.engine, shop.state, now=now) == 0
