"""Our adapters, and our fakes, run through the suites that any adapter's author runs."""

from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.adapters.outbox import OutboxChannel
from regulars.adapters.state import SQLState, migrate
from regulars.testing import (
    ChannelConformance,
    EngineConformance,
    FakeProvider,
    LakeConformance,
    StateConformance,
)


class TestDeltaLake(LakeConformance):
    def open_lake(self, folder):
        return DeltaLake(folder)


class TestDuckDBEngine(EngineConformance):
    def open_engine(self, folder, step, turn):
        return DuckDBEngine(DeltaLake(folder), workers=2, memory="200MB").bound(step, turn)


class TestSQLiteState(StateConformance):
    def open_state(self, folder):
        url = f"sqlite:///{folder / 'state.db'}"
        migrate(url)
        return SQLState(url)


class TestPostgreSQLState(StateConformance):
    @pytest.fixture(autouse=True)
    def server(self, postgresql):
        self.server, self.url_by_folder = postgresql, {}

    def open_state(self, folder):
        if folder not in self.url_by_folder:
            self.url_by_folder[folder] = self.server.new_database()
            migrate(self.url_by_folder[folder])
        return SQLState(self.url_by_folder[folder])


class TestOutbox(ChannelConformance):
    def open_channel(self, folder):
        return OutboxChannel(folder / "outbox")

    def handed_over(self, folder, channel):
        files = sorted((folder / "outbox").glob("contacts-*.parquet"))
        return [key for file in files for key in pq.read_table(file).column("key").to_pylist()]


class TestKeyedFakeProvider(ChannelConformance):
    def open_channel(self, folder):
        return FakeProvider(folder / "deliveries", keyed=True)

    def handed_over(self, folder, channel):
        return [key for key, _ in channel.deliveries()]


class TestUnkeyedFakeProvider(TestKeyedFakeProvider):
    def open_channel(self, folder):
        return FakeProvider(
            folder / "deliveries", keyed=False, refusals={"customer 1": "no_such_number"}
        )


class TestFakeProviderThatIsAsked(TestKeyedFakeProvider):
    def open_channel(self, folder):
        return FakeProvider(folder / "deliveries", keyed=False, asked=True)


class TestOutboxOfNoTurn(TestOutbox):
    """Contacts of campaigns belong to no turn: their files are whole when they are written."""

    def open_channel(self, folder):
        return OfNoTurn(folder / "outbox")


class OfNoTurn(OutboxChannel):
    def send(self, contacts, /):
        return super().send([replace(contact, turn=0) for contact in contacts])
