"""The outbox: one file per turn, the same bytes however often anything is repeated."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.adapters.outbox import OutboxChannel
from regulars.errors import Permanent
from regulars.ports.channels import Contact


def batch(*numbers, turn=1):
    return [
        Contact(
            key=f"{number:032x}",
            customer_id=f"c{number}",
            campaign_id=f"ten_off-{turn:03d}",
            offer_id="ten_off",
            channel="sms",
            cost=Decimal("0.05"),
            at=datetime(2026, 3, 2, 2, tzinfo=UTC),
            turn=turn,
        )
        for number in numbers
    ]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_turn_becomes_one_file_sorted_by_key_with_the_documented_columns(tmp_path):
    outbox = OutboxChannel(tmp_path)
    outbox.send(batch(3, 1))
    outbox.send(batch(2))

    outbox.close_turn(1)

    assert names(tmp_path) == ["contacts-1.parquet"]
    table = pq.read_table(tmp_path / "contacts-1.parquet")
    assert table.schema.names == [
        "key",
        "customer_id",
        "campaign",
        "offer",
        "channel",
        "cost",
        "at",
    ]
    assert table.schema.field("cost").type == pa.decimal128(18, 2)
    assert table.schema.field("at").type == pa.timestamp("us", tz="UTC")
    assert table.column("customer_id").to_pylist() == ["c1", "c2", "c3"]


def test_the_bytes_do_not_depend_on_batches_order_or_repetition(tmp_path):
    once, often = OutboxChannel(tmp_path / "once"), OutboxChannel(tmp_path / "often")
    once.send(batch(1, 2, 3, 4))
    for part in (batch(4, 3), batch(2), batch(1), batch(2), batch(3, 1)):
        often.send(part)

    for outbox in (once, often, often):
        outbox.close_turn(1)
    often.send(batch(3))
    often.close_turn(1)

    whole = (tmp_path / "once" / "contacts-1.parquet").read_bytes()
    assert (tmp_path / "often" / "contacts-1.parquet").read_bytes() == whole
    assert names(tmp_path / "often") == ["contacts-1.parquet"]


def test_a_turn_nobody_was_contacted_in_has_an_empty_file(tmp_path):
    OutboxChannel(tmp_path).close_turn(7)

    assert pq.read_table(tmp_path / "contacts-7.parquet").num_rows == 0


def test_contacts_of_another_turn_stay_out(tmp_path):
    outbox = OutboxChannel(tmp_path)
    outbox.send(batch(1, turn=1) + batch(2, turn=12))

    outbox.close_turn(1)

    assert pq.read_table(tmp_path / "contacts-1.parquet").num_rows == 1
    assert len([name for name in names(tmp_path) if name.startswith("part-12-")]) == 1


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "outbox").write_text("a file where the folder should be")

    with pytest.raises(Permanent, match="check free space and write permission"):
        OutboxChannel(tmp_path / "outbox").send(batch(1))
