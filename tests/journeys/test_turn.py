"""One turn of a small shop: odd beginnings, interruptions, slips of the hand."""

import fcntl
from datetime import UTC, date, datetime, timedelta

import msgspec
import pyarrow.parquet as pq
import pytest

from regulars.app import open_app
from regulars.collect.sources.mapping import mapping_by_name
from regulars.collect.sources.service import import_files
from regulars.decide.offers.keeping.service import offers_in_force, put_offer
from regulars.errors import InputError, Transient
from regulars.loop import run_turn
from regulars.rehearse.readings import fates_by_turn
from regulars.rehearse.workspaces import workspace
from regulars.serve.cli.main import main
from regulars.settings import Policy, Settings

SUNDAY = date(2026, 3, 1)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
CUSTOMERS = [f"会员{number:03d}" for number in range(60)]


def write(folder, name, header, rows):
    folder.mkdir(exist_ok=True)
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows)])
    (folder / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
    return folder / f"{name}.csv"


def consents(folder, name, status, moment, channel="*"):
    header = "customer_id,purpose,channel,status,recorded_at"
    rows = [(customer, "marketing", channel, status, moment) for customer in CUSTOMERS]
    return write(folder, name, header, rows)


def deliver(app, *paths):
    import_files(app.lake, paths, mapping_by_name(), zone=app.settings.retailer.zone)


@pytest.fixture(name="empty")
def a_workspace_with_nothing_in_it(tmp_path):
    return workspace(tmp_path / "shop", Settings(policy=Policy(cap_contacts=9)), workers=1)


@pytest.fixture(name="files")
def files_of_a_small_shop(tmp_path):
    folder = tmp_path / "files"
    write(folder, "customers", "customer_id", [(c,) for c in CUSTOMERS])
    write(folder, "products", "product_id,unit_cost", [("milk", 6)])
    days = [SUNDAY - timedelta(days=back) for back in range(0, 70, 7)]
    sales = [(f"{c}-{d}", c, d) for c in CUSTOMERS for d in days]
    write(
        folder, "orders", "order_id,customer_id,ordered_at,business_date,total",
        [(o, c, f"{d}T04:00:00Z", d, 20) for o, c, d in sales],
    )  # fmt: skip
    write(
        folder, "order_lines",
        "order_id,line_id,customer_id,product_id,business_date,quantity,sales",
        [(o, 1, c, "milk", d, 2, 20) for o, c, d in sales],
    )  # fmt: skip
    write(folder, "offers", "offer_id,name,family,planned_cost,margin_floor", [
        ("news", "News", "news", "0.10", 0)
    ])  # fmt: skip
    consents(folder, "consents-1", "granted", "2026-01-01T00:00:00Z")
    return folder


def sent(app, turn=1):
    return fates_by_turn(app)[turn]["sent"]


def test_a_small_shop_contacts_some_and_accounts_for_all(empty, files):
    deliver(empty, files)

    run_turn(empty, SUNDAY)

    [fates] = fates_by_turn(empty).values()
    contacts = pq.read_table(empty.folder / "outbox" / "contacts-1.parquet")
    assert fates["eligible"] == len(CUSTOMERS)
    assert contacts.num_rows == fates["sent"] > 0


def test_a_turn_with_nobody_in_it_ends_and_the_next_one_works(empty, files):
    run_turn(empty, SUNDAY - timedelta(days=7))
    deliver(empty, files)

    run_turn(empty, SUNDAY)

    assert sent(empty, 2) > 0


def test_without_an_offer_everybody_is_skipped_for_want_of_one(empty, files):
    (files / "offers.csv").unlink()
    deliver(empty, files)

    run_turn(empty, SUNDAY)

    assert "no_offer" in fates_by_turn(empty)[1]["skipped"]


def test_a_turn_decides_by_the_catalogue_once_somebody_corrected_an_offer(empty, files):
    deliver(empty, files)
    run_turn(empty, SUNDAY - timedelta(days=7))
    [news] = offers_in_force(empty.state, at=NOW)
    ended = msgspec.structs.replace(news.offer, ends_on=SUNDAY - timedelta(days=7))
    put_offer(empty.state, ended, actor="mei", now=NOW - timedelta(days=3))

    run_turn(empty, SUNDAY)

    assert sent(empty, 1) > 0
    assert "no_offer" in fates_by_turn(empty)[2]["skipped"]


def test_a_withdrawal_that_comes_in_while_a_turn_lies_interrupted_counts(empty, files, tmp_path):
    deliver(empty, files)
    run_turn(empty, SUNDAY, contact=False)
    late = consents(tmp_path / "late", "consents-2", "withdrawn", "2026-02-28T00:00:00Z")
    deliver(empty, late)

    run_turn(open_app(empty.folder), SUNDAY)

    assert sent(empty) == 0


def test_a_withdrawal_of_the_same_moment_as_the_grant_counts(empty, files, tmp_path):
    late = consents(tmp_path / "late", "consents-2", "withdrawn", "2026-01-01T00:00:00Z")
    deliver(empty, files, late)

    run_turn(empty, SUNDAY)

    assert sent(empty) == 0


def test_a_second_run_in_the_same_workspace_waits_its_turn(empty):
    with (empty.folder / ".turn.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(Transient, match="another run is at work"):
            run_turn(empty, SUNDAY)


def test_a_turn_is_not_repeated_and_not_turned_back(empty, files):
    deliver(empty, files)
    first = run_turn(empty, SUNDAY)

    assert run_turn(empty, SUNDAY).turn == first.turn
    with pytest.raises(InputError, match="give a later day"):
        run_turn(empty, SUNDAY - timedelta(days=1))


def test_a_table_folder_left_empty_by_a_crash_is_filled(empty, files):
    (empty.folder / "lake" / "decisions" / "_delta_log").mkdir(parents=True)
    deliver(empty, files)

    run_turn(empty, SUNDAY)

    assert sent(empty) > 0


def test_a_report_names_every_step_that_was_done(empty, files):
    deliver(empty, files)

    report = run_turn(empty, SUNDAY)

    assert set(report.rows_by_step) == {
        "collect.anomalies", "unify.profiles", "understand.segments", "understand.value", "understand.churn",
        "unify.tags", "measure.effects", "measure.effects.written", "measure.cells", "adjust.alerts", "adjust.autotune", "adjust.budgeting", "decide.policies",
        "reach.delivery",
    }  # fmt: skip


def test_a_slip_into_a_far_year_is_refused_before_anything_is_done(empty, files, capsys):
    deliver(empty, files)

    with pytest.raises(SystemExit) as ended:
        main(["run", "--dir", str(empty.folder), "--as-of", "2062-03-01"])

    assert ended.value.code == 2
    assert "import the newer orders first" in capsys.readouterr().err
    assert fates_by_turn(empty) == {}
