"""What every lake must keep, as a suite its author runs."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.errors import UnknownName
from regulars.ports.lake import Lake

_CAMPAIGNS = pa.schema([
    ("campaign_id", pa.string()),
    ("kind", pa.string()),
    ("starts_on", pa.date32()),
    ("ends_on", pa.date32()),
])
_ADJUSTMENTS = pa.schema([
    ("turn", pa.int64()),
    ("subject", pa.string()),
    ("before", pa.float64()),
    ("after", pa.float64()),
    ("evidence", pa.string()),
])


class LakeConformance(ABC):
    """A commit happens once, and a turn overwrites just itself."""

    @abstractmethod
    def open_lake(self, folder: Path) -> Lake:
        """Open the lake; the same folder means the same tables."""

    def test_a_table_nobody_wrote_has_no_files(self, tmp_path: Path) -> None:
        """Before the first commit there is nothing."""
        lake = self.open_lake(tmp_path)

        assert lake.files("campaigns") == []
        assert lake.committed("campaigns", "import 1") is None

    def test_an_undeclared_table_is_refused(self, tmp_path: Path) -> None:
        """The lake holds declared tables only."""
        try:
            self.open_lake(tmp_path).files("strays")
            refused = False
        except UnknownName:
            refused = True

        assert refused

    def test_the_same_application_appends_once(self, tmp_path: Path) -> None:
        """Appending again, after opening again too, adds nothing."""
        rows = _campaigns("a", "b")

        assert self.open_lake(tmp_path).append("campaigns", rows, application="import 1")
        again = self.open_lake(tmp_path)
        assert not again.append("campaigns", rows, application="import 1")
        assert again.append("campaigns", iter(_campaigns("c").to_batches()), application="import 2")

        assert [row["campaign_id"] for row in _rows(again, "campaigns")] == ["a", "b", "c"]

    def test_an_application_that_numbers_its_appends_repeats_none(self, tmp_path: Path) -> None:
        """A number at or below the last one committed adds nothing; a later one does."""
        lake = self.open_lake(tmp_path)

        assert lake.append("campaigns", _campaigns("a"), application="follower", version=3)
        assert not lake.append("campaigns", _campaigns("b"), application="follower", version=3)
        assert not lake.append("campaigns", _campaigns("c"), application="follower", version=2)
        assert lake.append("campaigns", _campaigns("d"), application="follower", version=4)

        assert [row["campaign_id"] for row in _rows(lake, "campaigns")] == ["a", "d"]
        assert self.open_lake(tmp_path).committed("campaigns", "follower") == 4

    def test_a_turn_overwrites_its_own_rows_only(self, tmp_path: Path) -> None:
        """Writing turn 1 again replaces turn 1 and leaves turn 2."""
        lake = self.open_lake(tmp_path)
        for turn, subjects in ((1, ("old", "older")), (2, ("two",)), (1, ("new",))):
            lake.overwrite_turn(
                "adjustments", _adjustments(turn, *subjects), application="adjust", turn=turn
            )

        found = [(row["turn"], row["subject"]) for row in _rows(lake, "adjustments")]
        assert found == [(1, "new"), (2, "two")]

    def test_the_last_turn_committed_is_known(self, tmp_path: Path) -> None:
        """A crash is recovered by comparing this with the journal."""
        lake = self.open_lake(tmp_path)
        lake.overwrite_turn("adjustments", _adjustments(3, "x"), application="adjust", turn=3)

        assert self.open_lake(tmp_path).committed("adjustments", "adjust") == 3
        assert lake.committed("adjustments", "another step") is None

    def test_a_turn_without_rows_empties_it(self, tmp_path: Path) -> None:
        """No rows is an answer too."""
        lake = self.open_lake(tmp_path)
        lake.overwrite_turn("adjustments", _adjustments(1, "x"), application="adjust", turn=1)
        lake.overwrite_turn("adjustments", _adjustments(1), application="adjust", turn=1)

        assert _rows(lake, "adjustments") == []

    def test_compacting_keeps_the_rows(self, tmp_path: Path) -> None:
        """Fewer files, the same rows."""
        lake = self.open_lake(tmp_path)
        for number in range(4):
            lake.append("campaigns", _campaigns(f"c{number}"), application=f"import {number}")
        lake.compact("campaigns")

        assert len(lake.files("campaigns")) < 4
        assert [row["campaign_id"] for row in _rows(lake, "campaigns")] == ["c0", "c1", "c2", "c3"]

    def test_tidying_keeps_the_rows_and_who_committed_them(self, tmp_path: Path) -> None:
        """Fewer files, the same rows; an append made before is still not made again."""
        lake = self.open_lake(tmp_path)
        for number in range(1, 5):
            lake.append("campaigns", _campaigns(f"c{number}"), application="feed", version=number)
        lake.tidy("campaigns", file_mb=16, keep_hours=0)

        assert len(lake.files("campaigns")) < 4
        assert [row["campaign_id"] for row in _rows(lake, "campaigns")] == ["c1", "c2", "c3", "c4"]
        assert not lake.append("campaigns", _campaigns("c4"), application="feed", version=4)
        assert self.open_lake(tmp_path).append(
            "campaigns", _campaigns("c5"), application="feed", version=5
        )

    def test_syncing_changes_nothing_and_may_be_asked_for_before_anything_is_there(
        self, tmp_path: Path
    ) -> None:
        """What is on disk reads as it did."""
        lake = self.open_lake(tmp_path)
        lake.sync("campaigns")
        lake.append("campaigns", _campaigns("a"), application="import 1")
        lake.sync("campaigns")
        lake.append("campaigns", _campaigns("b"), application="import 2")
        lake.sync("campaigns")

        assert [row["campaign_id"] for row in _rows(lake, "campaigns")] == ["a", "b"]

    def test_an_application_is_seen_that_committed_through_another_opening(
        self, tmp_path: Path
    ) -> None:
        """Two processes may write to one table."""
        one, other = self.open_lake(tmp_path), self.open_lake(tmp_path)
        one.append("campaigns", _campaigns("a"), application="one")
        other.append("campaigns", _campaigns("b"), application="other")
        one.append("campaigns", _campaigns("c"), application="one", version=2)

        assert one.committed("campaigns", "other") == 1
        assert not one.append("campaigns", _campaigns("b"), application="other")
        assert [row["campaign_id"] for row in _rows(one, "campaigns")] == ["a", "b", "c"]


def _campaigns(*ids: str) -> pa.Table:
    rows = [{"campaign_id": name, "kind": None, "starts_on": None, "ends_on": None} for name in ids]
    return pa.Table.from_pylist(rows, schema=_CAMPAIGNS)


def _adjustments(turn: int, *subjects: str) -> pa.Table:
    rows = [
        {"turn": turn, "subject": name, "before": None, "after": 1.0, "evidence": "{}"}
        for name in subjects
    ]
    return pa.Table.from_pylist(rows, schema=_ADJUSTMENTS)


def _rows(lake: Lake, name: str) -> list[dict[str, Any]]:
    rows = [row for file in lake.files(name) for row in pq.read_table(file).to_pylist()]
    return sorted(rows, key=lambda row: str(list(row.values())))
