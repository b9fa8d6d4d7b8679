"""Settings to adapters to App: the only place where things are wired."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.adapters.outbox import OutboxChannel
from regulars.adapters.state import SQLState, migrate, schema_version
from regulars.collect.commerce.tables import VIEWS
from regulars.errors import UnknownName
from regulars.govern.protection.service import VAULT_FILE, Protector, open_protector
from regulars.ports.channels import Channel
from regulars.ports.engine import Engine
from regulars.ports.steps import Step
from regulars.settings import Settings, read_settings, with_workers


@dataclass(frozen=True)
class App:
    """One open workspace: its settings and everything they choose.

    Attributes:
        folder: The workspace folder.
        settings: What `regulars.toml` says.
    """

    folder: Path
    settings: Settings

    @cached_property
    def lake(self) -> DeltaLake:
        """The tables of the workspace."""
        return DeltaLake(self.folder / "lake")

    @cached_property
    def engine(self) -> DuckDBEngine:
        """The engine, free to read any declared table."""
        compute = self.settings.compute
        return DuckDBEngine(self.lake, workers=compute.workers, memory=compute.memory, views=VIEWS)

    @cached_property
    def state(self) -> SQLState:
        """The transactional store, with the newest schema."""
        migrate(self._state_url)
        return SQLState(self._state_url)

    @cached_property
    def protector(self) -> Protector:
        """Tokens for direct identifiers, and the vault of their clear values."""
        return open_protector(self.folder, SQLState(f"sqlite:///{self.folder / VAULT_FILE}"))

    @cached_property
    def profiles(self) -> SQLState:
        """The store of online profiles; it can be made again from events and files."""
        return SQLState(f"sqlite:///{self.folder / 'profiles.db'}", is_rebuildable=True)

    def schema_versions(self) -> tuple[str | None, str]:
        """Give the schema version of the transactional store and the newest one there is."""
        return schema_version(self._state_url)

    @property
    def _state_url(self) -> str:
        return os.environ.get("REGULARS_STATE_URL") or f"sqlite:///{self.folder / 'state.db'}"

    @cached_property
    def channels(self) -> dict[str, Channel]:
        """The channel adapter of every channel the settings name.

        Raises:
            UnknownName: A channel names an adapter there is none of.
        """
        outbox = OutboxChannel(self.folder / "outbox")
        known: dict[str, Channel] = {"outbox": outbox}
        for part in self.settings.channels.values():
            if part.via not in known:
                raise UnknownName("channel adapter", part.via, known)
        return {name: known[part.via] for name, part in self.settings.channels.items()}

    def bound(self, step: Step, turn: int) -> Engine:
        """Give the engine as one step of one turn may use it."""
        return self.engine.bound(step, turn)


def open_app(folder: Path | str, *, workers: int | None = None) -> App:
    """Open a workspace.

    Args:
        folder: A folder made by `regulars init`.
        workers: Threads and senders, instead of what the settings say.

    Returns:
        The open workspace; stores are opened when they are first used.

    Raises:
        NotReady: The folder is not a workspace.
        InputError: Its settings cannot be used.
    """
    folder = Path(folder)
    settings = read_settings(folder, dict(os.environ))
    return App(folder, settings if workers is None else with_workers(settings, workers))
