"""What every engine must keep, as a suite its author runs."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from regulars.errors import InputError, NotAllowed
from regulars.ports.engine import Engine
from regulars.ports.steps import Step

STEP = Step("testing.step", frozenset({"decisions"}), frozenset({"contacts"}), len)


class EngineConformance(ABC):
    """Declared tables only, in declared types, a turn at a time, in the order asked for."""

    @abstractmethod
    def open_engine(self, folder: Path, step: Step, turn: int) -> Engine:
        """Open the engine bound to a step of a turn; the same folder means the same tables."""

    def test_a_table_nobody_wrote_is_empty(self, tmp_path: Path) -> None:
        """It has its declared columns and no rows."""
        engine = self.open_engine(tmp_path, STEP, 1)

        assert engine.rows(engine.table("decisions")) == []
        assert "verdict" in engine.table("decisions").columns

    def test_rows_come_back_in_declared_types(self, tmp_path: Path) -> None:
        """Money stays exact, moments stay aware, the turn is filled in."""
        engine = self.open_engine(tmp_path, STEP, 4)

        written = engine.write("contacts", _contacts("a"))

        [row] = engine.rows(engine.table("contacts"))
        assert written == 1
        assert row["turn"] == 4
        assert row["cost"] == Decimal("0.05")
        assert row["at"] == datetime(2026, 3, 2, 2, tzinfo=UTC)

    def test_a_definition_can_be_written_and_rows_come_in_its_order(self, tmp_path: Path) -> None:
        """What the engine defined it can also keep."""
        engine = self.open_engine(tmp_path, STEP, 1)
        engine.write("contacts", _contacts("b", "c", "a"))
        contacts = engine.table("contacts")

        assert engine.write("contacts", contacts.filter(contacts.customer_id != "c")) == 2

        found = engine.table("contacts")
        upward = engine.rows(found.order_by("customer_id"))
        downward = engine.arrow(found.order_by(found.customer_id.desc())).to_pylist()
        assert [row["customer_id"] for row in upward] == ["a", "b"]
        assert [row["customer_id"] for row in downward] == ["b", "a"]

    def test_a_turn_overwrites_its_own_rows_only(self, tmp_path: Path) -> None:
        """Repeating a step changes nothing; another turn is left alone."""
        for turn, names in ((1, "ab"), (2, "c"), (1, "d")):
            self.open_engine(tmp_path, STEP, turn).write("contacts", _contacts(*names))

        engine = self.open_engine(tmp_path, STEP, 3)
        rows = engine.rows(engine.table("contacts").order_by("turn", "customer_id"))
        assert [(row["turn"], row["customer_id"]) for row in rows] == [(1, "d"), (2, "c")]

    def test_tables_the_step_did_not_declare_are_refused(self, tmp_path: Path) -> None:
        """Lineage is what the declaration says."""
        engine = self.open_engine(tmp_path, STEP, 1)

        assert _refused(lambda: engine.table("orders"), NotAllowed)
        assert _refused(lambda: engine.write("decisions", _contacts("a")), NotAllowed)

    def test_rows_unlike_the_declaration_are_refused(self, tmp_path: Path) -> None:
        """A missing column, a strange column or an empty required value is a mistake."""
        engine = self.open_engine(tmp_path, STEP, 1)
        rows = _contacts("a")
        holed = rows.set_column(0, "key", pa.array([None], pa.string()))

        assert _refused(lambda: engine.write("contacts", rows.drop_columns("fate")), InputError)
        assert _refused(
            lambda: engine.write("contacts", rows.append_column("stray", pa.array([1]))), InputError
        )
        assert _refused(lambda: engine.write("contacts", holed), InputError)
        assert engine.rows(engine.table("contacts")) == []


def _contacts(*customers: str) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "key": f"key of {customer}",
                "customer_id": customer,
                "campaign_id": None,
                "offer_id": None,
                "channel": "sms",
                "cost": Decimal("0.05"),
                "at": datetime(2026, 3, 2, 2, tzinfo=UTC),
                "fate": "sent",
                "reason": "handed_over",
            }
            for customer in customers
        ],
        schema=pa.schema([
            ("key", pa.string()),
            ("customer_id", pa.string()),
            ("campaign_id", pa.string()),
            ("offer_id", pa.string()),
            ("channel", pa.string()),
            ("cost", pa.decimal128(18, 2)),
            ("at", pa.timestamp("us", tz="UTC")),
            ("fate", pa.string()),
            ("reason", pa.string()),
        ]),
    )


def _refused(call: Callable[[], Any], kind: type[Exception]) -> bool:
    try:
        call()
    except kind:
        return True
    return False
