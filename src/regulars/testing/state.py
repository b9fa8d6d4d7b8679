"""What every state store must keep, as a suite its author runs."""

import threading
from abc import ABC, abstractmethod
from pathlib import Path

from regulars.ports.state import State

_PUT = "INSERT INTO watermarks (name, value) VALUES (:name, :value)"
_SET = "UPDATE watermarks SET value = :value WHERE name = :name"
_ALL = "SELECT name, value FROM watermarks ORDER BY name"


class StateConformance(ABC):
    """Statements commit together or not at all, and writers wait for each other."""

    @abstractmethod
    def open_state(self, folder: Path) -> State:
        """Open the store with the newest schema; the same folder means the same data."""

    def test_what_was_committed_is_there_after_opening_again(self, tmp_path: Path) -> None:
        """A commit outlives the connection."""
        with self.open_state(tmp_path).transaction() as opened:
            touched = opened.many(_PUT, [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}])

        assert touched == 2
        with self.open_state(tmp_path).reading() as opened:
            assert opened.all(_ALL) == [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]

    def test_an_error_takes_back_the_whole_transaction(self, tmp_path: Path) -> None:
        """Nothing of a transaction that failed is kept."""
        state = self.open_state(tmp_path)
        try:
            with state.transaction() as opened:
                opened.run(_PUT, name="a", value="1")
                raise RuntimeError
        except RuntimeError:
            failed = True

        with state.reading() as opened:
            assert failed
            assert opened.all(_ALL) == []

    def test_a_reader_keeps_one_picture_while_others_write(self, tmp_path: Path) -> None:
        """Two reads of one reading transaction agree."""
        state = self.open_state(tmp_path)
        with state.reading() as reader:
            before = reader.all(_ALL)
            with state.transaction() as writer:
                writer.run(_PUT, name="a", value="1")
            after = reader.all(_ALL)

        assert before == after == []

    def test_a_statement_says_how_many_rows_it_touched(self, tmp_path: Path) -> None:
        """Code decides by the rows an update touched; so it must be true."""
        with self.open_state(tmp_path).transaction() as opened:
            opened.run(_PUT, name="a", value="1")

            assert opened.run(_SET, name="a", value="2") == 1
            assert opened.run(_SET, name="nobody", value="2") == 0
            assert opened.many(_SET, []) == 0

    def test_writers_that_read_first_lose_no_update(self, tmp_path: Path) -> None:
        """Four writers count to 25 each by read and write; the sum is 100."""
        state = self.open_state(tmp_path)
        with state.transaction() as opened:
            opened.run(_PUT, name="count", value="0")

        def count() -> None:
            for _ in range(25):
                with state.transaction() as opened:
                    [row] = opened.all(_ALL)
                    opened.run(_SET, name="count", value=str(int(row["value"]) + 1))

        writers = [threading.Thread(target=count) for _ in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

        with state.reading() as opened:
            assert opened.all(_ALL) == [{"name": "count", "value": "100"}]
