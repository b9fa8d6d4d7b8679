"""The settings of one workspace: what `regulars.toml` may say, with its defaults."""

import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

from regulars.errors import InputError, NotReady

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


@dataclass(frozen=True)
class Loop:
    """How a turn decides and measures.

    Attributes:
        seed: Root of every random draw.
        turn_days: Days from one turn to the next.
        window_days: Days of outcome a campaign is measured over.
        weekly_budget: Most a turn may spend on contacts and planned offer cost.
        global_holdout: Share of customers never contacted by the programme, 0 to 0.5.
        campaign_holdout: Share of each campaign's chosen customers held out, 0.02 to 0.5.
        exploration_floor: Least probability of every eligible action and of no contact,
            as a share of the turn's reach, 0 to 0.2.
        margin_rate: Margin over sales where products have no cost, 0 to 1.
        level: Coverage of every interval, 0.5 to 0.999.
    """

    seed: int = 7
    turn_days: int = 7
    window_days: int = 7
    weekly_budget: Decimal = Decimal(1000)
    global_holdout: float = 0.05
    campaign_holdout: float = 0.1
    exploration_floor: float = 0.02
    margin_rate: float = 0.25
    level: float = 0.9


@dataclass(frozen=True)
class Policy:
    """Rules of contact that every send passes.

    Attributes:
        quiet_from: Local hour quiet time starts, 0 to 23.
        quiet_to: Local hour quiet time ends, 0 to 23.
        dispatch_hour: Local hour a turn's contacts go out, on the day after `as_of`.
        cap_contacts: Most marketing contacts a customer gets within `cap_days`.
        cap_days: Length of the rolling cap window.
        consent_required: True when only a recorded "granted" allows a contact; False when
            everything but a recorded refusal does.
    """

    quiet_from: int = 21
    quiet_to: int = 8
    dispatch_hour: int = 10
    cap_contacts: int = 2
    cap_days: int = 28
    consent_required: bool = True


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
class ChannelSettings:
    """One channel contacts may take.

    Attributes:
        cost: Cost of one contact in the workspace's currency.
        via: Adapter that carries it: "outbox", "email", "aliyun_sms", "webhook"...
        message_class: "marketing" or "transactional": what this channel carries.
        base_url: Address of the provider, when not its usual one.
        account: What the provider knows us by: access key id, app id, corp id, project...
        secret_env: Variable that holds the secret, or the file of a service account.
        receipt_secret_env: Variable that holds what receipts are signed with.
        sender: Who it comes from: e-mail address, SMS signature, staff member...
        sender_name: Name shown beside the sender.
        template: Template for messages that name none.
        application: Application at the provider: SDK app id, agent id.
        region: Region of the provider.
        opt_out: Words a marketing message must hold, so that people know how to stop it.
        checks_templates: True to ask the provider once whether a template is approved.
        key_seconds: Seconds the provider remembers a key; 0 for a provider that knows none;
            -1 for what its adapter says.
        rate_per_second: Calls a second; 0 for what its adapter says.
        timeout_seconds: Most seconds one call takes.
        connections: Most connections at once.
        window: Most contacts handed over at once; 0 for what the ledger takes.
        smtp_host: Mail server.
        smtp_port: Its port; 0 for the usual one.
        smtp_security: "starttls", "tls" or "none".
        smtp_user: User name at the mail server; "" for no login.
        reply_to: Address answers go to; "" for the sender.
        bounce_domain: Domain of return addresses, which tell whose mail came back; "" for none.
        key_header: Header that carries the key, where the mail server delivers a key once.
        dkim_domain: Domain that signs; "" for that of the sender.
        dkim_selector: Name of the key below _domainkey.
        dkim_key_env: Variable that holds the private key as PEM, or the path of its file.
        path: Folder of files, from the workspace; "" for channels/<name>.
    """

    cost: Decimal = Decimal("0.05")
    via: str = "outbox"
    message_class: str = "marketing"
    base_url: str = ""
    account: str = ""
    secret_env: str = ""
    receipt_secret_env: str = ""
    sender: str = ""
    sender_name: str = ""
    template: str = ""
    application: str = ""
    region: str = ""
    opt_out: str = "拒收请回复R"
    checks_templates: bool = True
    key_seconds: int = -1
    rate_per_second: float = 0.0
    timeout_seconds: float = 10.0
    connections: int = 8
    window: int = 0
    smtp_host: str = ""
    smtp_port: int = 0
    smtp_security: str = "starttls"
    smtp_user: str = ""
    reply_to: str = ""
    bounce_domain: str = ""
    key_header: str = ""
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_key_env: str = ""
    path: str = ""


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
    policy: Policy = Policy()
    compute: Compute = Compute()
    ingest: Ingest = Ingest()
    drain: Drain = Drain()
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
        elif hint is Decimal and isinstance(value, int | float | str):
            values[name] = Decimal(str(value))
        elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
            values[name] = float(value)
        elif isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
            values[name] = value
        else:
            raise InputError(f"{where}: {name} is {value!r}, must be a {hint.__name__}")
    return kind(**values)


def _check(settings: Settings, path: Path) -> None:
    loop, policy, drain = settings.loop, settings.policy, settings.drain
    ingest = settings.ingest
    limits: list[tuple[str, float | Decimal, float, float]] = [
        ("loop.global_holdout", loop.global_holdout, 0, 0.5),
        ("loop.campaign_holdout", loop.campaign_holdout, 0.02, 0.5),
        ("loop.exploration_floor", loop.exploration_floor, 0, 0.2),
        ("loop.level", loop.level, 0.5, 0.999),
        ("loop.margin_rate", loop.margin_rate, 0, 1),
        ("loop.turn_days", loop.turn_days, 1, 92),
        ("loop.window_days", loop.window_days, 1, loop.turn_days),
        ("loop.weekly_budget", loop.weekly_budget, 0, 10**12),
        ("policy.dispatch_hour", policy.dispatch_hour, 0, 23),
        ("policy.quiet_from", policy.quiet_from, 0, 23),
        ("policy.quiet_to", policy.quiet_to, 0, 23),
        ("policy.cap_contacts", policy.cap_contacts, 0, 1000),
        ("policy.cap_days", policy.cap_days, 1, 366),
        ("compute.workers", settings.compute.workers, 1, 256),
        ("ingest.partitions", ingest.partitions, 1, 64),
        ("ingest.segment_mb", ingest.segment_mb, 1, 1024),
        ("ingest.waiting_mb", ingest.waiting_mb, 8, 4096),
        ("ingest.backlog_mb", ingest.backlog_mb, 1, 10**9),
        ("drain.every_ms", drain.every_ms, 1, 60_000),
        ("drain.batch_mb", drain.batch_mb, 1, 256),
        ("drain.commit_ms", drain.commit_ms, 0, 60_000),
        ("drain.dedup_days", drain.dedup_days, 1, 3660),
        ("drain.late_days", drain.late_days, 1, 3660),
        ("drain.future_minutes", drain.future_minutes, 0, 100_000),
        ("drain.follow_ms", drain.follow_ms, 1, 60_000),
    ]
    limits += _limits_of_channels(settings, path)
    for name, value, least, most in limits:
        if not least <= value <= most:
            raise InputError(f"{path}: {name} is {value}, must be from {least} to {most}")
    try:
        ZoneInfo(settings.retailer.zone)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"{path}: retailer.zone is {settings.retailer.zone!r}, which is no IANA zone; "
            "use a name such as Asia/Shanghai"
        ) from error


def _limits_of_channels(
    settings: Settings, path: Path
) -> list[tuple[str, float | Decimal, float, float]]:
    """Check the words of channels, and give the limits of their numbers."""
    limits: list[tuple[str, float | Decimal, float, float]] = []
    for name, part in settings.channels.items():
        where = f"{path}: channels.{name}"
        if part.message_class not in {"marketing", "transactional"}:
            raise InputError(
                f'{where}: message_class is {part.message_class!r}, must be "marketing" or '
                '"transactional"'
            )
        if part.smtp_security not in {"starttls", "tls", "none"}:
            raise InputError(
                f'{where}: smtp_security is {part.smtp_security!r}, must be "starttls", "tls" '
                'or "none"'
            )
        if part.base_url and not part.base_url.startswith(("https://", "http://")):
            raise InputError(
                f"{where}: base_url is {part.base_url!r}, must begin with https:// (or http:// "
                "for a server of your own)"
            )
        _refuse_secret_in_place_of_variable(part, where)
        limits += [
            (f"channels.{name}.rate_per_second", part.rate_per_second, 0, 100_000),
            (f"channels.{name}.timeout_seconds", part.timeout_seconds, 0.1, 600),
            (f"channels.{name}.connections", part.connections, 1, 256),
            (f"channels.{name}.window", part.window, 0, 100_000),
            (f"channels.{name}.smtp_port", part.smtp_port, 0, 65_535),
            (f"channels.{name}.key_seconds", part.key_seconds, -1, 10**9),
        ]
    return limits


def _refuse_secret_in_place_of_variable(part: ChannelSettings, where: str) -> None:
    for name in ("secret_env", "receipt_secret_env", "dkim_key_env"):
        value = getattr(part, name)
        if value and not (value.isascii() and value.isidentifier() and value.isupper()):
            raise InputError(
                f"{where}: {name} must be the name of a variable in capitals, such as "
                "REGULARS_SMS_SECRET; put the secret itself into that variable, not into this file"
            )
