"""The settings of one workspace: what `regulars.toml` may say, with its defaults."""

import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from regulars.errors import InputError, NotReady
from regulars.records.channel_settings import (
    ChannelSettings,
    limits_of_channel,
    refuse_shared_templates,
)
from regulars.records.contact_policy import Cap, Policy, Quiet, QuotaSettings

__all__ = [
    "FILE",
    "Cap",
    "ChannelSettings",
    "Compute",
    "Drain",
    "Ingest",
    "LinkSettings",
    "Loop",
    "Messages",
    "Orders",
    "Policy",
    "Quiet",
    "QuotaSettings",
    "Retailer",
    "Sending",
    "Settings",
    "SourceSettings",
    "read_settings",
    "with_workers",
]

FILE = "regulars.toml"


@dataclass(frozen=True)
class Retailer:
    """Whose workspace this is.

    Attributes:
        name: Shown in the console and in reports.
        currency: ISO 4217 code of every money column.
        zone: IANA zone that decides what a day is.
        locale: "zh-CN" or "en": language of reports.
    """

    name: str = "My shop"
    currency: str = "CNY"
    zone: str = "Asia/Shanghai"
    locale: str = "en"


_HALVED_AFTER = 2
"""Turns after which a campaign's holdout is half of what it was at first."""
_LEAST_KNOWN = 500
"""Customers whose part in the holdout is kept: the fewer there are, the less it may fall."""


@dataclass(frozen=True)
class Loop:
    """How a turn decides and measures.

    Attributes:
        seed: Root of every random draw.
        turn_days: Days from one turn to the next.
        window_days: Days of outcome a campaign is measured over.
        weekly_budget: Most a turn may spend on contacts and planned offer cost.
        online_budget: The same for decisions made online between two turns.
        global_holdout: Share of customers never contacted by the programme, 0 to 0.5.
        campaign_holdout: Share of each campaign's chosen customers held out in the first turn,
            0.02 to 0.5.
        least_campaign_holdout: Share it falls to, turn by turn, as effects become known, 0.02 to
            0.5; the same as `campaign_holdout` keeps it where it is.
        exploration_floor: Least probability of every eligible action and of no contact,
            as a share of the turn's reach, 0 to 0.2.
        margin_rate: Margin over sales where products have no cost, 0 to 1.
        level: Coverage of every interval, 0.5 to 0.999.
    """

    seed: int = 7
    turn_days: int = 7
    window_days: int = 7
    weekly_budget: Decimal = Decimal(1000)
    online_budget: Decimal = Decimal(200)
    global_holdout: float = 0.05
    campaign_holdout: float = 0.1
    least_campaign_holdout: float = 0.05
    exploration_floor: float = 0.02
    margin_rate: float = 0.25
    level: float = 0.9

    def held_out_in(self, turn: int, customers: int) -> float:
        """Give the share of each campaign's chosen customers held out in a turn.

        What one more turn's holdout adds to what is known of effects falls with the turns there
        were, while what it costs does not: the share falls as one over them, to a least by which
        every campaign is still measured and a change is still seen. Where customers are few it
        falls less, or not at all.

        Args:
            turn: Number of the turn, from 1.
            customers: Customers the turn decides for.

        Returns:
            The share, from `least_campaign_holdout` to `campaign_holdout`.

        Source:
            Ours, because a fixed share either learns too slowly at first or goes on paying for
            what is known.

        Example:
            >>> [round(Loop().held_out_in(turn, 20_000), 3) for turn in (1, 2, 3, 26)]
            [0.1, 0.067, 0.05, 0.05]
            >>> [round(Loop().held_out_in(26, customers), 3) for customers in (3_000, 8_000)]
            [0.1, 0.062]
        """
        falling = self.campaign_holdout / (1 + (turn - 1) / _HALVED_AFTER)
        least = max(self.least_campaign_holdout, _LEAST_KNOWN / max(customers, 1))
        return min(self.campaign_holdout, max(least, falling))


@dataclass(frozen=True)
class Adjust:
    """How far the system may change things by itself.

    Attributes:
        is_automatic: False to leave every move to a person.
        hold_turns: Turns a channel that broke is left alone before it is tried again, 1 to 52.
        most_held: Channels that may be left alone by themselves at one time, 0 or more.
    """

    is_automatic: bool = True
    hold_turns: int = 4
    most_held: int = 1


@dataclass(frozen=True)
class Compute:
    """How work is run.

    Attributes:
        workers: Threads of the engine and senders of the ledger, 1 or more.
        memory: Most memory the engine takes, as DuckDB writes it.
    """

    workers: int = 2
    memory: str = "2GB"


@dataclass(frozen=True)
class Sending:
    """How contacts are handed over.

    Attributes:
        window: Most contacts claimed at once where a provider knows keys or can be asked.
        careful_window: The same elsewhere: the most that may end unknown when a process dies.
        lease_seconds: Seconds after which the contacts of a process that fell silent are taken up.
        attempts: Most attempts at one contact.
        retry_first_seconds: Seconds before the second attempt; doubled with each further one.
        retry_most_seconds: Most seconds between two attempts.
        retry_hours: Hours after the first attempt in which there may be others.
        breaker_failures: Failures in a row after which a channel is left alone.
        breaker_seconds: Seconds it is left alone, before one small window tries it.
        patience_seconds: Most seconds one pass waits for an attempt that is due soon.
        stuck_minutes: Minutes after which what has not moved is reported as stuck.
    """

    window: int = 500
    careful_window: int = 20
    lease_seconds: int = 120
    attempts: int = 6
    retry_first_seconds: float = 5.0
    retry_most_seconds: float = 900.0
    retry_hours: float = 4.0
    breaker_failures: int = 5
    breaker_seconds: float = 60.0
    patience_seconds: float = 0.0
    stuck_minutes: int = 15


@dataclass(frozen=True)
class Ingest:
    """How events are taken in.

    Attributes:
        partitions: Partitions of a new log, 1 to 64; a log keeps the number it was made with.
        segment_mb: Megabytes after which a partition begins a new file.
        waiting_mb: Megabytes of requests held in memory until they are on disk; clients above
            it are asked to wait.
        backlog_mb: Megabytes of log that may wait for the drain; clients above it are asked
            to wait.
        keep_addresses: True to keep the network address of clients beside their events.
    """

    partitions: int = 2
    segment_mb: int = 64
    waiting_mb: int = 64
    backlog_mb: int = 4096
    keep_addresses: bool = True


@dataclass(frozen=True)
class Drain:
    """How acknowledged events become stored ones.

    Attributes:
        every_ms: Milliseconds between two looks into the log while events come.
        batch_mb: Megabytes of log decided on at once.
        commit_ms: Most milliseconds a stored event waits before tables show it.
        dedup_days: Days with events for which ids are known, so that one sent again is a duplicate.
        late_days: Days after which an event that arrives is marked late.
        future_minutes: Minutes a client's clock may be ahead, after correction.
        follow_ms: Most milliseconds per look that followers take while the log waits.
    """

    every_ms: int = 200
    batch_mb: int = 16
    commit_ms: int = 1000
    dedup_days: int = 90
    late_days: int = 7
    future_minutes: int = 10
    follow_ms: int = 500


@dataclass(frozen=True)
class LinkSettings:
    """The addresses in messages.

    Attributes:
        base_url: Address this server is reached at from outside, such as
            https://go.shop.example; "" when there is none: then messages that need a link, as
            all marketing e-mail does, are not sent.
        key_number: Number of the key links are signed with, 1 to 255; raise it to sign with
            a new one.
        oldest_key: Number of the oldest key whose links still lead somewhere.
        utm_source: What links say of who sent them; "" for the retailer's name.
        opens: True to put a picture into e-mail that tells when it is opened.
    """

    base_url: str = ""
    key_number: int = 1
    oldest_key: int = 1
    utm_source: str = ""
    opens: bool = False


@dataclass(frozen=True)
class Messages:
    """What every message says of who sends it.

    Attributes:
        sender: Name of the sender in the footer of e-mail; "" for the retailer's name.
        postal_address: Postal address in the footer of e-mail.
    """

    sender: str = ""
    postal_address: str = ""


@dataclass(frozen=True)
class Orders:
    """What holds for every order, whatever its offers say.

    Attributes:
        most_offers: Offers one order may have, 1 to 8.
        most_discount_share: Largest share of an order's value its offers may take off, 0 to 1.
    """

    most_offers: int = 3
    most_discount_share: float = 1.0


@dataclass(frozen=True)
class SourceSettings:
    """One source that is pulled.

    Attributes:
        kind: Kind of source, as `regulars collect sources` lists them.
        via: How it is read: "folder", "s3", "sql", "inbox" or "calendar".
        path: Folder of its files, from the workspace; or "bucket/folder".
        mapping: Mapping file instead of the kind's own contract, from the workspace.
        url_env: Variable that holds the address of the database.
        table: Table of the database.
        cursor: Column of the table that only grows.
        endpoint: Address of an S3 store other than AWS.
        country: ISO 3166 code of the calendar.
        first_year: First year of the calendar; 0 for last year.
        last_year: Last year of the calendar; 0 for next year.
    """

    kind: str = ""
    via: str = "folder"
    path: str = ""
    mapping: str = ""
    url_env: str = ""
    table: str = ""
    cursor: str = ""
    endpoint: str = ""
    country: str = "CN"
    first_year: int = 0
    last_year: int = 0


@dataclass(frozen=True)
class Settings:
    """Everything `regulars.toml` says."""

    retailer: Retailer = Retailer()
    loop: Loop = Loop()
    adjust: Adjust = Adjust()
    policy: Policy = Policy()
    compute: Compute = Compute()
    ingest: Ingest = Ingest()
    drain: Drain = Drain()
    sending: Sending = Sending()
    links: LinkSettings = LinkSettings()
    messages: Messages = Messages()
    orders: Orders = Orders()
    channels: dict[str, ChannelSettings] = field(
        default_factory=lambda: {"sms": ChannelSettings(), "app": ChannelSettings(Decimal("0.01"))}
    )
    sources: dict[str, SourceSettings] = field(default_factory=dict)


def read_settings(folder: Path, environment: dict[str, str] | None = None) -> Settings:
    """Read the settings of a workspace.

    Args:
        folder: The workspace folder.
        environment: Variables that win over the file: REGULARS_WORKERS.

    Returns:
        The settings; what the file leaves out has its default.

    Raises:
        NotReady: The folder is not a workspace.
        InputError: The file is not TOML, or holds a name or value we do not know.
    """
    path = folder / FILE
    if not path.is_file():
        raise NotReady(f"{folder} holds no {FILE}; run: regulars init {folder}")
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable TOML: {error}; mend the line it names") from error
    channels = {
        name: _build(ChannelSettings, part, f"{path}: channels.{name}")
        for name, part in _mapping(text.pop("channels", {}), f"{path}: channels").items()
    }
    sources = {
        name: _build(SourceSettings, part, f"{path}: sources.{name}")
        for name, part in _mapping(text.pop("sources", {}), f"{path}: sources").items()
    }
    settings: Settings = _build(Settings, text, str(path))
    if sources:
        settings = _replace(settings, sources=sources)
    if channels:
        settings = _replace(settings, channels=channels)
    workers = (environment or {}).get("REGULARS_WORKERS")
    if workers:
        settings = with_workers(settings, workers)
    _check(settings, path)
    return settings


def with_workers(settings: Settings, workers: int | str) -> Settings:
    """Give the same settings with another number of workers.

    Returns:
        Settings that differ in `compute.workers` only.

    Raises:
        InputError: The number is not a whole number of 1 or more.
    """
    if not str(workers).isdigit() or int(workers) < 1:
        raise InputError(f"workers is {workers!r}, must be a whole number of 1 or more")
    return _replace(settings, compute=Compute(int(workers), settings.compute.memory))


def _replace(settings: Settings, **parts: Any) -> Settings:
    kept = {part.name: getattr(settings, part.name) for part in fields(settings)}
    return Settings(**(kept | parts))


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a table of settings, is {value!r}")
    return value


def _build(kind: type, given: Any, where: str) -> Any:
    given = _mapping(given, where)
    hints = get_type_hints(kind)
    unknown = sorted(set(given) - set(hints))
    if unknown:
        raise InputError(
            f"{where}: unknown setting {unknown[0]!r}; known: {', '.join(sorted(hints))}"
        )
    values = {}
    for name, value in given.items():
        hint = hints[name]
        if is_dataclass(hint):
            values[name] = _build(hint, value, f"{where}: {name}")  # type: ignore[arg-type]
        elif get_origin(hint) is tuple:
            values[name] = _build_each(get_args(hint)[0], value, f"{where}: {name}")
        elif hint is Decimal and isinstance(value, int | float | str):
            values[name] = _amount(value, f"{where}: {name}")
        elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
            values[name] = float(value)
        elif isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
            values[name] = value
        else:
            raise InputError(f"{where}: {name} is {value!r}, must be a {hint.__name__}")
    return kind(**values)


def _amount(value: float | str, where: str) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise InputError(f"{where} is {value!r}, must be an amount such as 0.05") from error
    if not amount.is_finite():
        raise InputError(f"{where} is {value!r}, must be an amount such as 0.05")
    return amount


def _build_each(kind: type, given: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(given, list):
        raise InputError(f"{where} is {given!r}, must be a list; write one table per entry")
    return tuple(_build(kind, one, f"{where} {place}") for place, one in enumerate(given, 1))


def _check_policy(policy: Policy, path: Path) -> None:
    """Refuse limits out of range and words we do not know, with the place they stand at."""
    words: list[tuple[str, str, tuple[str, ...]]] = [
        ("policy.cap_when_full", policy.cap_when_full, ("drop", "hold")),
        ("policy.unknown_age", policy.unknown_age, ("adult", "minor", "child")),
    ]
    numbers: list[tuple[str, float, float, float]] = [
        ("policy.dispatch_hour", policy.dispatch_hour, 0, 23),
        ("policy.quiet_from", policy.quiet_from, 0, 23),
        ("policy.quiet_to", policy.quiet_to, 0, 23),
        ("policy.cap_contacts", policy.cap_contacts, 0, 1000),
        ("policy.cap_days", policy.cap_days, 1, 366),
        ("policy.minor_age", policy.minor_age, 0, 120),
        ("policy.child_age", policy.child_age, 0, policy.minor_age),
    ]
    for place, cap in enumerate(policy.caps, 1):
        at = f"policy.caps {place}"
        words.append((f"{at}: window", cap.window, ("rolling", "calendar_day", "calendar_month")))
        words.append((f"{at}: when_full", cap.when_full, ("drop", "hold")))
        words.append((f"{at}: scope", _scope(cap.scope), ("all", "channel:", "topic:")))
        numbers.append((f"{at}: contacts", cap.contacts, 0, 1000))
        numbers.append((f"{at}: days", cap.days, 1, 366))
    for place, hours in enumerate(policy.quiet, 1):
        at = f"policy.quiet {place}"
        known = ("channel:", "topic:", "class:transactional")
        words.append((f"{at}: scope", _scope(hours.scope), known))
        numbers.append((f"{at}: quiet_from", hours.quiet_from, 0, 23))
        numbers.append((f"{at}: quiet_to", hours.quiet_to, 0, 23))
    for place, quota in enumerate(policy.quotas, 1):
        words.append((f"policy.quotas {place}: when_full", quota.when_full, ("drop", "hold", "")))
        numbers.append((f"policy.quotas {place}: contacts", quota.contacts, -1, 10**6))
    for name, value, allowed in words:
        if value not in allowed:
            raise InputError(f"{path}: {name} is {value!r}, must be one of {', '.join(allowed)}")
    _check_ranges(numbers, path)


def _scope(scope: str) -> str:
    """Give the kind of a scope, where it names a channel or topic."""
    kind, colon, what = scope.partition(":")
    if kind not in {"channel", "topic"} or not colon:
        return scope
    return f"{kind}:" if what else f"{kind}: without a name"


def _check_ranges(limits: list[tuple[str, Any, float, float]], path: Path) -> None:
    for name, value, least, most in limits:
        if not least <= value <= most:
            raise InputError(f"{path}: {name} is {value}, must be from {least} to {most}")


def _check(settings: Settings, path: Path) -> None:
    loop, drain = settings.loop, settings.drain
    _check_policy(settings.policy, path)
    ingest = settings.ingest
    limits: list[tuple[str, float | Decimal, float, float]] = [
        ("loop.global_holdout", loop.global_holdout, 0, 0.5),
        ("loop.campaign_holdout", loop.campaign_holdout, 0.02, 0.5),
        ("loop.least_campaign_holdout", loop.least_campaign_holdout, 0.02, 0.5),
        ("loop.exploration_floor", loop.exploration_floor, 0, 0.2),
        ("loop.level", loop.level, 0.5, 0.999),
        ("loop.margin_rate", loop.margin_rate, 0, 1),
        ("loop.turn_days", loop.turn_days, 1, 92),
        ("loop.window_days", loop.window_days, 1, loop.turn_days),
        ("loop.weekly_budget", loop.weekly_budget, 0, 10**12),
        ("adjust.hold_turns", settings.adjust.hold_turns, 1, 52),
        ("adjust.most_held", settings.adjust.most_held, 0, 100),
        ("loop.online_budget", loop.online_budget, 0, 10**12),
        ("compute.workers", settings.compute.workers, 1, 256),
        ("orders.most_offers", settings.orders.most_offers, 1, 8),
        ("orders.most_discount_share", settings.orders.most_discount_share, 0, 1),
        ("sending.window", settings.sending.window, 1, 10_000),
        ("sending.careful_window", settings.sending.careful_window, 1, 10_000),
        ("sending.lease_seconds", settings.sending.lease_seconds, 5, 3600),
        ("sending.attempts", settings.sending.attempts, 1, 100),
        ("sending.retry_first_seconds", settings.sending.retry_first_seconds, 0.01, 3600),
        ("sending.retry_most_seconds", settings.sending.retry_most_seconds, 0.01, 86_400),
        ("sending.retry_hours", settings.sending.retry_hours, 0, 720),
        ("sending.breaker_failures", settings.sending.breaker_failures, 1, 1000),
        ("sending.breaker_seconds", settings.sending.breaker_seconds, 0.01, 86_400),
        ("sending.patience_seconds", settings.sending.patience_seconds, 0, 3600),
        ("sending.stuck_minutes", settings.sending.stuck_minutes, 1, 10_080),
        ("ingest.partitions", ingest.partitions, 1, 64),
        ("ingest.segment_mb", ingest.segment_mb, 1, 1024),
        ("ingest.waiting_mb", ingest.waiting_mb, 8, 4096),
        ("ingest.backlog_mb", ingest.backlog_mb, 1, 10**9),
        ("links.oldest_key", settings.links.oldest_key, 1, settings.links.key_number),
        ("links.key_number", settings.links.key_number, 1, 255),
        ("drain.every_ms", drain.every_ms, 1, 60_000),
        ("drain.batch_mb", drain.batch_mb, 1, 256),
        ("drain.commit_ms", drain.commit_ms, 0, 60_000),
        ("drain.dedup_days", drain.dedup_days, 1, 3660),
        ("drain.late_days", drain.late_days, 1, 3660),
        ("drain.future_minutes", drain.future_minutes, 0, 100_000),
        ("drain.follow_ms", drain.follow_ms, 1, 60_000),
    ]
    for name, part in settings.channels.items():
        limits += limits_of_channel(name, part, str(path))
    refuse_shared_templates(settings.channels, str(path))
    _check_ranges(limits, path)
    try:
        ZoneInfo(settings.retailer.zone)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"{path}: retailer.zone is {settings.retailer.zone!r}, which is no IANA zone; "
            "use a name such as Asia/Shanghai"
        ) from error
