"""The workspaces one process serves, their engines handed to one request at a time."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from queue import LifoQueue
from threading import Lock
from typing import Any

from regulars.adjust.policies.service import Serving
from regulars.app import App, open_app
from regulars.decide.online.service import Decider
from regulars.errors import NotReady
from regulars.govern.protection.service import Protector
from regulars.measure.experiments.keeping.exposing.service import Exposing
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.reach.links.service import Links
from regulars.reach.links.vouching import secret_of
from regulars.records.receipts import ParsedReceipt
from regulars.serve.sending.desk import TriggerDesk
from regulars.settings import FILE, Settings

ENGINES = 2


class Workspace:
    """One open workspace.

    A DuckDB connection must not be used by two threads at once; so there are a few engines,
    and a request holds one of them alone while it reads.

    Args:
        folder: The workspace's folder.
        engines: Requests that may read at once.
    """

    def __init__(self, folder: Path, *, engines: int = ENGINES) -> None:
        """Open the workspace and its state; engines are made when first needed."""
        self.name, self.folder = folder.resolve().name, folder
        apps = [open_app(folder, workers=1) for _ in range(engines)]
        self.settings: Settings = apps[0].settings
        self.state: State = apps[0].state
        self._first = apps[0]
        self._idle: LifoQueue[App] = LifoQueue()
        for app in apps:
            self._idle.put(app)
        self._deciding = Lock()
        self._decider: Decider | None = None

    @property
    def shop(self) -> App:
        """The workspace itself, for what concerns all of it; its engine is not free to use."""
        return self._first

    @property
    def profiles(self) -> State:
        """The store of online profiles."""
        return self._first.profiles

    @property
    def links(self) -> Links:
        """The signed addresses of the workspace."""
        return self._first.links

    def vouching_secret(self, publishable_key: str) -> str:
        """What the shop's server signs its customers with, for one publishable key."""
        _ = self.protector  # refuses a vault without its key, before a new key is made
        return secret_of(self.folder, publishable_key)

    @property
    def protector(self) -> Protector:
        """Tokens for direct identifiers."""
        return self._first.protector

    def answer_challenge(self, channel: str, headers: Mapping[str, str], *, now: datetime) -> str:
        """Answer the test a provider makes of a new receipt address; "" when it makes none."""
        return self._first.answer_challenge(channel, headers, now=now)

    def read_welcomes(
        self, channel: str, raw: bytes, headers: Mapping[str, str], *, now: datetime
    ) -> list[Any]:
        """Read who a callback says has just added a member of staff, and may be greeted."""
        return self._first.read_welcomes(channel, raw, headers, now=now)

    def read_receipts(
        self, channel: str, raw: bytes, headers: Mapping[str, str], *, now: datetime
    ) -> list[ParsedReceipt]:
        """Read what a provider says of contacts of one channel, once its signature was checked."""
        return self._first.read_receipts(channel, raw, headers, now=now)

    @cached_property
    def desk(self) -> TriggerDesk:
        """Where triggers are handed in."""
        return TriggerDesk(self.state, self.settings)

    @cached_property
    def policies(self) -> Serving:
        """Which challenger chooses for whom; one per process and workspace."""
        return Serving(self.state, seed=self.settings.loop.seed)

    @cached_property
    def exposing(self) -> Exposing:
        """Who gives variants of running experiments; one per process and workspace."""
        loop = self.settings.loop
        return Exposing(self.state, seed=loop.seed, global_holdout=loop.global_holdout)

    @property
    def decider(self) -> Decider:
        """Who decides for one customer at a time; one per process and workspace.

        Raises:
            NotReady: Another process decides online in this workspace.
        """
        with self._deciding:
            if self._decider is None:
                self._decider = Decider(
                    self.folder,
                    self.reading,
                    self.state,
                    self.settings,
                    self.policies.rule_of,
                )
            return self._decider

    @property
    def decides_at_once(self) -> bool:
        """Whether a decision waits neither for knowledge to be read nor for a server."""
        is_ready = self._decider is not None and self._decider.is_ready
        return is_ready and self._first.state.dialect == "sqlite"

    def close(self) -> None:
        """Write what waits to be logged, and let another process decide online."""
        with self._deciding:
            if self._decider is not None:
                self._decider.close()
                self._decider = None
        if "exposing" in vars(self):
            vars(self).pop("exposing").close()

    @contextmanager
    def reading(self) -> Generator[Reader]:
        """Hold an engine; waits while all are held.

        Enter and leave within one function call: a request that is suspended while it holds
        an engine could keep the others from ever giving theirs back.

        Yields:
            An engine nobody else uses meanwhile.
        """
        with self.holding() as app:
            yield app.engine

    @contextmanager
    def holding(self) -> Generator[App]:
        """Hold everything a workspace has, on the same terms as an engine.

        Yields:
            An open workspace nobody else uses meanwhile.
        """
        app = self._idle.get()
        try:
            yield app
        finally:
            self._idle.put(app)


@dataclass(frozen=True)
class Site:
    """Everything one process serves.

    Attributes:
        by_name: The workspaces, the one shown first first.
        home: The one whose users may sign in.
    """

    by_name: Mapping[str, Workspace]
    home: Workspace


def open_site(folder: Path) -> Site:
    """Open a workspace, or the workspaces of a demo.

    Args:
        folder: A workspace, or the folder of a demo, whose workspaces are `twin` (shown
            first) and `grocer`.

    Returns:
        The site.

    Raises:
        NotReady: The folder is neither.
    """
    if (folder / FILE).is_file():
        found = [folder]
    else:
        found = [folder / name for name in ("twin", "grocer") if (folder / name / FILE).is_file()]
    if not found:
        raise NotReady(
            f"{folder} holds no {FILE} and is no demo either; "
            f"run: regulars init {folder}  or: regulars demo --dir {folder}"
        )
    opened = [Workspace(one) for one in found]
    return Site({one.name: one for one in opened}, opened[0])
