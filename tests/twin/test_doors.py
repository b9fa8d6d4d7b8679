"""The twin's doors: files of facts out, contacts in, and nothing of the truth through either."""

from dataclasses import fields
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from regulars.adapters.delta_lake import DeltaLake
from regulars.collect.sources.mapping import mapping_by_name
from regulars.collect.sources.service import import_files
from regulars.errors import InputError, NotReady
from regulars.records import TABLES
from regulars.twin import Contacts, Plan, State, Twin, figure_rows

CUSTOMERS = 600


@pytest.fixture(scope="module", params=["us", "zh"])
def written(request, tmp_path_factory):
    """Give a twin, its state, its outcome and the folder of a history and one contacted week."""
    folder = tmp_path_factory.mktemp(request.param)
    twin = Twin.begin(Plan(CUSTOMERS, 7, "hostile", request.param, history_weeks=3))
    state = twin.write_history(folder / "history")
    rows = np.arange(CUSTOMERS)
    after, outcome = twin.advance(state, Contacts(rows, rows % 4, rows % 3))
    twin.write_week(folder / "week", outcome, [f"key-{row}" for row in rows])
    return twin, after, outcome, folder


def read(folder, name):
    return pq.read_table(folder / f"{name}.parquet")


def test_files_are_laid_out_like_the_facts_they_feed(written):
    *_, folder = written

    for path in sorted(folder.rglob("*.parquet")):
        declared = TABLES[path.stem]
        required = {column.name for column in declared.columns if column.required}
        assert required <= set(pq.read_schema(path).names) <= set(declared.names), path.name


def test_collect_takes_every_row_and_holds_none_back(written, tmp_path):
    twin, _, outcome, folder = written
    lake = DeltaLake(tmp_path / "lake")

    for part in ("history", "week"):
        results = import_files(lake, [folder / part], mapping_by_name(), zone=twin.skin.zone)
        assert {result.quarantined for result in results} == {0}
        assert {result.duplicate for result in results} == {0}

    stored = {result.table: result.stored for result in results}
    assert stored["orders"] == outcome.orders.sum()
    assert stored["redemptions"] == outcome.redeemed.sum()


def test_the_money_in_the_files_is_the_money_of_the_outcome(written):
    _, _, outcome, folder = written
    orders, lines = read(folder / "week", "orders"), read(folder / "week", "order_lines")

    assert pc.sum(orders["total"]).as_py() == pc.sum(lines["sales"]).as_py()
    assert float(pc.sum(lines["sales"]).as_py()) == pytest.approx(outcome.sales.sum())
    margin = pc.sum(lines["sales"]).as_py() - pc.sum(lines["cost"]).as_py()
    assert float(margin) == pytest.approx(outcome.margin.sum())
    given = pc.sum(read(folder / "week", "redemptions")["amount"]).as_py()
    assert float(given) == pytest.approx(outcome.discount_given.sum())


def test_a_receipt_does_not_tell_whether_a_contact_caused_it(written):
    twin, _, outcome, folder = written
    receipts = read(folder / "week", "orders")
    caused = set(outcome.order_rows.keys[outcome.order_rows.number >= 100].tolist())

    at = np.array([int(name[-16:], 16) in caused for name in receipts["order_id"].to_pylist()])

    moments = receipts["ordered_at"].to_pylist()
    assert moments == sorted(moments)
    assert 0 < at.sum() < len(at)
    place = np.flatnonzero(at) / len(at)
    assert 0.3 < place.mean() < 0.7
    assert twin.plan.customers == len(outcome.orders)


def test_orders_come_after_the_contacts_of_their_week(written):
    twin, _, _, folder = written
    receipts = read(folder / "week", "contact_outcomes")
    orders = read(folder / "week", "orders")

    sent = min(
        at for at, kind in zip(receipts["occurred_at"].to_pylist(), receipts["kind"].to_pylist(), strict=True)
        if kind == "delivered"
    )  # fmt: skip

    assert min(orders["ordered_at"].to_pylist()) > sent
    monday = twin.monday(4)
    assert min(orders["business_date"].to_pylist()) == monday
    assert (max(orders["business_date"].to_pylist()) - monday).days == 6


def test_leaving_a_channel_is_a_receipt_and_a_consent(written):
    _, after, outcome, folder = written
    receipts = read(folder / "week", "contact_outcomes").to_pylist()
    consents = read(folder / "week", "consents").to_pylist()

    left = {row["customer_id"] for row in receipts if row["kind"] == "opted_out"}

    assert len(left) == outcome.opted_out.sum() > 0
    assert left == {row["customer_id"] for row in consents}
    assert {row["status"] for row in consents} == {"withdrawn"}
    gone = outcome.contacts.customer[outcome.opted_out[outcome.contacts.customer]]
    assert not after.consent[gone, outcome.contacts.channel[gone]].any()


def test_the_last_word_in_the_consent_files_is_the_consent_the_twin_keeps(written):
    twin, after, _, folder = written
    said = pa.concat_tables([read(folder / part, "consents") for part in ("history", "week")])
    last = {}
    for row in sorted(said.to_pylist(), key=lambda row: row["recorded_at"]):
        last[row["customer_id"], row["channel"]] = row["status"] == "granted"

    kept = {
        (customer, channel): bool(after.consent[row, place])
        for row, customer in enumerate(twin.population.ids.tolist())
        for place, channel in enumerate(twin.rules.book.channels)
    }

    assert last == kept


def test_offers_are_a_file_a_marketer_could_have_written(written):
    *_, folder = written

    rows = pyarrow.csv.read_csv(folder / "history" / "offers.csv").to_pylist()

    assert [row["family"] for row in rows] == ["news", "percent_off", "money_off", "own_brand"]
    assert all(Decimal(str(row["planned_cost"])) > 0 for row in rows)


def test_a_chinese_skin_has_chinese_names_numbers_and_towns():
    twin = Twin.begin(Plan(50, 7, skin="zh", history_weeks=0))
    facts = twin.doors

    assert twin.skin.currency == "CNY"
    assert twin.rules.book.channels == ("sms", "app", "wechat")
    assert twin.rules.book.offers[2].offer_id == "money_20"
    assert facts.skin.zone == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("skin", "names"),
    [
        ("zh", ["本周新品", "全单9折", "满140减20", "自有品牌8.5折"]),
        ("us", ["What is new this week", "10% off one order", "5 off from 35",
                "15% off our own brands"]),
    ],
)  # fmt: skip
def test_offers_are_called_in_the_language_of_the_skin(skin, names):
    twin = Twin.begin(Plan(10, 7, "normal", skin, history_weeks=0))

    assert [offer.name for offer in twin.rules.book.offers] == names


def test_customers_have_names_and_numbers_of_their_country(written):
    twin, _, _, folder = written
    customers = read(folder / "history", "customers").to_pylist()

    starts = {"zh": "+86 1", "us": "+1 "}[twin.plan.skin]
    assert all(row["phone"].startswith(starts) for row in customers)
    assert len({row["phone"] for row in customers}) > 0.99 * CUSTOMERS
    assert (customers[0]["wechat_id"] is not None) == (twin.plan.skin == "zh")
    assert {row["city"] for row in customers} <= set(twin.skin.towns)


def handed_over(**columns):
    rows = {"key": ["k"], "customer_id": ["C0000003"], "campaign": ["news-001"], "offer": ["news"],
            "channel": ["app"], "cost": [Decimal("0.01")]}  # fmt: skip
    return pa.table(rows | {name: [value] for name, value in columns.items()})


def test_contacts_come_in_by_name(begun):
    contacts = begun()[0].contacts(handed_over())

    assert contacts.customer.tolist() == [2]
    assert contacts.offer.tolist() == [0]
    assert contacts.channel.tolist() == [1]


@pytest.mark.parametrize(
    "wrong", [{"customer_id": "C9"}, {"offer": "gift"}, {"channel": "fax"}], ids=str
)
def test_a_contact_the_twin_cannot_know_is_refused_by_name(begun, wrong):
    [(column, value)] = wrong.items()

    with pytest.raises(InputError, match=f"{column} '{value}'"):
        begun()[0].contacts(handed_over(**wrong))


def test_no_contacts_are_read_as_none(begun):
    contacts = begun()[0].contacts(handed_over().slice(0, 0))

    assert len(contacts.customer) == 0


def test_a_twin_picked_up_again_writes_the_same_bytes(tmp_path):
    twin = Twin.begin(Plan(300, 3, history_weeks=2))
    state = twin.write_history(tmp_path / "history")
    twin.save(state, tmp_path / "kept")
    rows = np.arange(0, 300, 2)
    keys = [str(row) for row in rows]
    contacts = Contacts(rows, rows % 4, rows % 3)
    after, outcome = twin.advance(state, contacts)
    twin.write_week(tmp_path / "straight", outcome, keys)

    resumed, kept = Twin.resume(tmp_path / "kept")
    again, outcome = resumed.advance(kept, contacts)
    resumed.write_week(tmp_path / "resumed", outcome, keys)

    for part in fields(State):
        assert np.array_equal(getattr(after, part.name), getattr(again, part.name)), part.name
    for path in sorted((tmp_path / "straight").iterdir()):
        assert path.read_bytes() == (tmp_path / "resumed" / path.name).read_bytes(), path.name


def test_the_saved_state_has_the_same_bytes_every_time(tmp_path):
    twin = Twin.begin(Plan(50, 3))
    for name in ("one", "two"):
        twin.save(twin.first(), tmp_path / name)

    for file in ("state.npz", "twin.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_folder_without_a_twin_says_so(tmp_path):
    with pytest.raises(NotReady, match="begin one first"):
        Twin.resume(tmp_path)


def test_a_broken_state_says_what_to_do(tmp_path):
    twin = Twin.begin(Plan(50, 3))
    twin.save(twin.first(), tmp_path)
    (tmp_path / "state.npz").write_bytes(b"PK\x03\x04 cut off")

    with pytest.raises(InputError, match="remove its folder"):
        Twin.resume(tmp_path)


def test_every_invented_figure_has_a_reason_and_is_told():
    rows = figure_rows("hostile")

    assert len(rows) == len({row["name"] for row in rows}) > 80
    assert all(len(str(row["why"])) > 8 for row in rows)
    told = {row["name"]: row["value"] for row in rows}
    assert told["fatigue.gain"] == pytest.approx(1.2)
