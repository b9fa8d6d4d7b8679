"""A suite that passes everything proves nothing: each of these adapters is broken, and is caught."""

import pyarrow as pa
import pytest

from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.adapters.outbox import OutboxChannel
from regulars.adapters.state import SQLState, migrate
from regulars.ports.channels import Answer, Outcome, Recovery
from regulars.testing import (
    ChannelConformance,
    EngineConformance,
    FakeProvider,
    LakeConformance,
    StateConformance,
)


def open_state(folder, kind=SQLState):
    url = f"sqlite:///{folder / 'state.db'}"
    migrate(url)
    return kind(url)


class LakeThatAppendsTwice(DeltaLake):
    def append(self, name, rows, /, *, application):
        rows = rows if isinstance(rows, pa.Table) else pa.Table.from_batches(rows)
        again = not super().append(name, rows, application=application)
        return super().append(name, rows, application=application + " again") if again else True


class LakeThatOverwritesEverything(DeltaLake):
    def overwrite_turn(self, name, rows, /, *, application, turn):
        self._write(name, rows, application, turn, "turn > 0" if self.files(name) else None)


class StateThatCommitsAlways(SQLState):
    """Every statement for itself: what an adapter without transactions does."""

    def transaction(self):
        opened = super().transaction()

        class Loose:
            def __enter__(self):
                tx = opened.__enter__()
                tx._connection.execute("COMMIT")
                return tx

            def __exit__(self, *error):
                return False

        return Loose()


class EngineThatAllowsEverything:
    """Writes what it is told where it is told."""

    def __init__(self, engine, lake, turn):
        self._engine, self._lake, self._turn = engine, lake, turn

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def table(self, name, /):
        return self._engine._engine.table(name)


class Forgetful(FakeProvider):
    """Says that sending again is harmless, and delivers again."""

    def __init__(self, record):
        super().__init__(record, keyed=False)
        self.recovery, self.key_seconds = Recovery.RESEND, 86_400


class Guessing(FakeProvider):
    """Says that everything was taken when it is asked."""

    def find(self, keys, /):
        return dict.fromkeys(keys, Answer(Outcome.ACCEPTED))


class ChannelThatDropsTheLast(OutboxChannel):
    def send(self, contacts, /):
        super().send(contacts[:-1])
        return dict.fromkeys((c.key for c in contacts), Answer(Outcome.ACCEPTED))


class LakeSuite(LakeConformance):
    broken = DeltaLake

    def open_lake(self, folder):
        return self.broken(folder)


class StateSuite(StateConformance):
    def open_state(self, folder):
        return open_state(folder, StateThatCommitsAlways)


class EngineSuite(EngineConformance):
    def open_engine(self, folder, step, turn):
        lake = DeltaLake(folder)
        bound = DuckDBEngine(lake, workers=1, memory="200MB").bound(step, turn)
        return EngineThatAllowsEverything(bound, lake, turn)


class ForgetfulSuite(ChannelConformance):
    def open_channel(self, folder):
        return Forgetful(folder / "deliveries")

    def handed_over(self, folder, channel):
        return [key for key, _ in channel.deliveries()]


class GuessingSuite(ForgetfulSuite):
    def open_channel(self, folder):
        return Guessing(folder / "deliveries", keyed=False, asked=True)


class DroppingSuite(ChannelConformance):
    def open_channel(self, folder):
        return ChannelThatDropsTheLast(folder)

    def handed_over(self, folder, channel):
        return [] if not list(folder.glob("contacts-*")) else _keys(folder)


class AppendingSuite(LakeSuite):
    broken = LakeThatAppendsTwice


class OverwritingSuite(LakeSuite):
    broken = LakeThatOverwritesEverything


def _keys(folder):
    import pyarrow.parquet as pq

    return [
        k
        for file in folder.glob("contacts-*")
        for k in pq.read_table(file).column("key").to_pylist()
    ]


@pytest.mark.parametrize(
    ("suite", "promise"),
    [
        (AppendingSuite, "test_the_same_application_appends_once"),
        (OverwritingSuite, "test_a_turn_overwrites_its_own_rows_only"),
        (StateSuite, "test_an_error_takes_back_the_whole_transaction"),
        (EngineSuite, "test_tables_the_step_did_not_declare_are_refused"),
        (ForgetfulSuite, "test_a_channel_that_may_resend_delivers_a_key_once"),
        (GuessingSuite, "test_what_became_of_a_contact_is_the_truth"),
        (DroppingSuite, "test_every_contact_is_handed_over_once"),
    ],
)
def test_the_suite_catches(suite, promise, tmp_path):
    with pytest.raises(AssertionError):
        getattr(suite(), promise)(tmp_path)
