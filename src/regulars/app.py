"""Settings to adapters to App: the only place where things are wired."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.outbox import OutboxChannel
from regulars.adapters.state import SQLState, migrate, schema_version
from regulars.errors import NotReady, UnknownName
from regulars.govern.policy.service import stopped
from regulars.govern.protection.service import VAULT_FILE, Protector, open_protector
from regulars.ports.channels import Channel
from regulars.ports.steps import Step
from regulars.settings import Settings, read_settings, with_workers

if TYPE_CHECKING:
    from regulars.adapters.channels.catalogue import ChannelState
    from regulars.adapters.channels.email.domain_check import DomainFinding
    from regulars.adapters.channels.wechat.welcome import NewCustomer
    from regulars.adapters.duckdb_engine import DuckDBEngine
    from regulars.collect.ingest.batch import Follower
    from regulars.collect.ingest.drain.partition import Inside
    from regulars.collect.ingest.drain.replay.service import Sealing
    from regulars.collect.ingest.drain.service import Drain
    from regulars.decide.online.reading.service import Known
    from regulars.ports.engine import Engine
    from regulars.reach.content.service import Tools
    from regulars.reach.links.service import Links
    from regulars.records.receipts import ParsedReceipt


@runtime_checkable
class Scrubbed(Protocol):
    """A channel with a store of its own."""

    def scrub(self) -> None:
        """Leave nothing on disk of what was deleted."""


STANDARD_RECEIPTS = "regulars.reach.receipts.standard:parse"


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
    def engine(self) -> "DuckDBEngine":
        """The engine, free to read any declared table."""
        # Fifty megabytes that a process which only stores events never needs.
        from regulars.adapters.duckdb_engine import DuckDBEngine  # noqa: PLC0415
        from regulars.collect.commerce.tables import VIEWS  # noqa: PLC0415

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
    def links(self) -> "Links":
        """The signed addresses of the workspace."""
        from regulars.govern.protection.keys import make_key, read_key  # noqa: PLC0415
        from regulars.reach.links.service import Links  # noqa: PLC0415

        settings = self.settings.links
        _ = self.protector  # refuses a vault without its key, before a new key is made
        return Links(
            read_key(self.folder) or make_key(self.folder),
            base_url=settings.base_url,
            number=settings.key_number,
            oldest=settings.oldest_key,
        )

    @property
    def content_tools(self) -> "Tools":
        """What rendering works with, for previews."""
        from regulars.reach.content.service import Tools  # noqa: PLC0415 - slow

        return Tools(self.state, self.protector, self.settings, self.links, self.engine)

    @cached_property
    def known(self) -> "Known":
        """What online decisions rest on, for whoever decides beside the server."""
        from regulars.decide.online.reading.service import Known  # noqa: PLC0415 - slow

        return Known(self.engine, self.state, self.settings)

    @cached_property
    def profiles(self) -> SQLState:
        """The store of online profiles; it can be made again from events and files."""
        from regulars.unify.profiles.online.service import prepare  # noqa: PLC0415 - slow

        store = SQLState(f"sqlite:///{self.folder / 'profiles.db'}", is_rebuildable=True)
        prepare(store)
        return store

    def scrub(self) -> None:
        """Leave nothing on disk, in any store, of what was deleted; may take minutes.

        Raises:
            Transient: Somebody else held a store all the time.
        """
        _ = self.protector  # makes the vault where there is none
        vault = SQLState(f"sqlite:///{self.folder / VAULT_FILE}")
        for store in (self.state, self.profiles, vault):
            store.compact()
        vault.close()
        for channel in self.channels.values():
            if isinstance(channel, Scrubbed):
                channel.scrub()

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
        from regulars.adapters.channels.catalogue import open_channel  # noqa: PLC0415 - on demand
        from regulars.adapters.channels.plumbing.stopping import StopLook  # noqa: PLC0415

        is_stopped = StopLook(lambda: stopped(self.state) is not None)
        outbox = OutboxChannel(self.folder / "outbox")
        return {
            name: outbox
            if part.via == "outbox"
            else open_channel(
                name, part, folder=self.folder, environment=os.environ, is_stopped=is_stopped
            )
            for name, part in self.settings.channels.items()
        }

    def describe_channels(self) -> "list[ChannelState]":
        """List the channels, what is done with doubts on each, and what each still needs.

        Returns:
            One row per channel; nothing is called.

        Raises:
            UnknownName: A channel names an adapter there is none of.
        """
        from regulars.adapters.channels.catalogue import describe  # noqa: PLC0415 - on demand

        known = self.settings.channels
        return describe(known, folder=self.folder, environment=os.environ)

    def check_domain(self, channel: str) -> "list[DomainFinding]":
        """Ask DNS whether the domain of an e-mail channel is fit to send.

        Args:
            channel: The channel.

        Returns:
            Findings on SPF, DKIM, DMARC and MX.

        Raises:
            UnknownName: The settings name no such channel, or it carries no e-mail.
            Transient: DNS did not answer.
        """
        from regulars.adapters.channels.email.domain_check import check_domain  # noqa: PLC0415
        from regulars.adapters.channels.email.questions import question_of  # noqa: PLC0415

        known = {n: part for n, part in self.settings.channels.items() if part.via == "email"}
        if channel not in known:
            raise UnknownName("e-mail channel", channel, known)
        return check_domain(question_of(known[channel], os.environ))

    def answer_challenge(self, channel: str, headers: Mapping[str, str], *, now: datetime) -> str:
        """Answer the test a provider makes of a new receipt address.

        Args:
            channel: The channel.
            headers: Fields of the query with ? before their name.
            now: The moment, aware.

        Returns:
            What has to be sent back, as it is; "" for providers that make no such test.
        """
        from regulars.adapters.channels.wechat.callbacks import challenge  # noqa: PLC0415 - lazy

        part = self.settings.channels.get(channel)
        secret = os.environ.get(part.receipt_secret_env, "") if part else ""
        if not secret or "?echostr" not in headers:
            return ""
        return challenge(headers, secret=secret, now=now)

    def read_welcomes(
        self, channel: str, raw: bytes, headers: Mapping[str, str], *, now: datetime
    ) -> "list[NewCustomer]":
        """Read who a callback of WeCom says is new, and may be greeted within 20 seconds.

        Args:
            channel: The channel the callback came for.
            raw: The body as it came.
            headers: Fields of the query with ? before their name.
            now: The moment, aware.

        Returns:
            Whoever may be greeted; empty for callbacks of others.
        """
        from regulars.adapters.channels.wechat.welcome import new_customers  # noqa: PLC0415 - lazy

        part = self.settings.channels.get(channel)
        secret = os.environ.get(part.receipt_secret_env, "") if part else ""
        if part is None or not part.via.startswith("wecom") or not secret:
            return []
        return new_customers(raw, headers, secret=secret, now=now)

    def read_receipts(
        self, channel: str, raw: bytes, headers: Mapping[str, str], *, now: datetime
    ) -> "list[ParsedReceipt]":
        """Read what a provider says of contacts of one channel.

        Args:
            channel: The channel.
            raw: The body as it came.
            headers: Names in lower case; fields of the query with ? before their name.
            now: The moment, aware.

        Returns:
            The receipts; nothing is looked up yet.

        Raises:
            UnknownName: The settings name no such channel.
            NotReady: The variable with the provider's secret is not set.
        """
        known = self.settings.channels
        if channel not in known:
            raise UnknownName("channel", channel, known)
        variable = known[channel].receipt_secret_env
        secret = os.environ.get(variable, "") if variable else ""
        if not secret:
            raise NotReady(
                f"channel {channel} has no secret for receipts; set receipt_secret_env in "
                "regulars.toml to a variable that holds it"
            )
        from regulars.adapters.channels.catalogue import receipt_parsers  # noqa: PLC0415 - lazy

        # Every other adapter's come as signed JSON.
        module, _, name = (
            receipt_parsers().get(known[channel].via, STANDARD_RECEIPTS).partition(":")
        )
        found: list[ParsedReceipt] = getattr(import_module(module), name)(
            raw, headers, secret=secret, now=now
        )
        return found

    @property
    def followers(self) -> "list[Follower]":
        """Whoever is fed with stored events: identity first, others rest on it."""
        from regulars.collect.commerce.service import CommerceFollower  # noqa: PLC0415
        from regulars.collect.quality.plan.service import QualityFollower  # noqa: PLC0415
        from regulars.reach.journeys.entering.following.service import JourneyFollower  # noqa: PLC0415
        from regulars.unify.identity.junk import junk_nodes  # noqa: PLC0415
        from regulars.unify.identity.service import IdentityFollower  # noqa: PLC0415
        from regulars.unify.profiles.online.service import ProfileFollower  # noqa: PLC0415

        retailer = self.settings.retailer
        place = {"zone": retailer.zone, "currency": retailer.currency}
        return [
            IdentityFollower(self.state, junk=junk_nodes(self.protector.token)),
            ProfileFollower(self.profiles, **place),
            QualityFollower(self.state),
            CommerceFollower(self.lake, **place),
            JourneyFollower(self.state),
        ]

    def drain(self, partitions: Iterable[int] | None = None) -> "Drain":
        """Open the drain of the workspace, or of some partitions of its log.

        Returns:
            The drain; whoever opened it closes it.

        Raises:
            NotReady: Another process drains them.
        """
        from regulars.collect.ingest.drain.partition import LOG_FOLDER, Outside  # noqa: PLC0415
        from regulars.collect.ingest.drain.service import Drain  # noqa: PLC0415
        from regulars.collect.ingest.log.recovery import shape_log  # noqa: PLC0415

        there = range(shape_log(self.folder / LOG_FOLDER, self.settings.ingest.partitions))
        return Drain(
            Outside(self.folder, self.lake, self.state),
            self._inside,
            self.settings.drain,
            followers=self.followers,
            partitions=there if partitions is None else partitions,
        )

    @property
    def sealing(self) -> "Sealing":
        """How refused events are opened and closed."""
        from regulars.collect.ingest.drain.replay.service import Sealing  # noqa: PLC0415

        return Sealing(self.protector.seal, self.protector.unseal)

    @property
    def _inside(self) -> "Inside":
        from regulars.collect.ingest.drain.deciding import Gates  # noqa: PLC0415
        from regulars.collect.ingest.drain.partition import Inside  # noqa: PLC0415
        from regulars.collect.ingest.drain.reading.batch_rows import Rules  # noqa: PLC0415
        from regulars.collect.ingest.drain.suppression.service import Suppressed  # noqa: PLC0415
        from regulars.collect.quality.plan.service import PlanGate  # noqa: PLC0415
        from regulars.collect.tracking import normalise  # noqa: PLC0415

        zone, settings = self.settings.retailer.zone, self.settings.drain
        in_form = partial(normalise, zone=ZoneInfo(zone))
        return Inside(
            Rules(
                zone,
                in_form,
                settings.late_days,
                settings.future_minutes,
                PlanGate(self.state),
            ),
            Gates(
                self.protector.protect,
                self.protector.seal,
                Suppressed(self.state, self.protector.hidden_name),
            ),
            self.sealing,
            settings.dedup_days,
        )

    def bound(self, step: Step, turn: int) -> "Engine":
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
