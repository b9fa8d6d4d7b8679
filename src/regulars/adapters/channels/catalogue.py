"""Every kind of channel there is, by the name `via` has in the settings; each loaded when used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path

from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.adapters.channels.plumbing.stopping import never
from regulars.adapters.channels.plumbing.unready import UnreadyChannel
from regulars.errors import InputError, UnknownName
from regulars.ports.channels import Channel, Recovery
from regulars.settings import ChannelSettings

_HERE = "regulars.adapters.channels."
_RESEND, _RECONCILE, _HOLD = Recovery.RESEND, Recovery.RECONCILE, Recovery.HOLD_UNKNOWN
DAY, TEN_YEARS = 86_400, 10 * 365 * 86_400


@dataclass(frozen=True)
class Kind:
    """One kind of channel.

    Attributes:
        opens: Module and class.
        recovery: What may be done with contacts nobody confirmed.
        because: Why, in one sentence.
        key_seconds: How long its provider remembers a key; 0 when it knows none.
        per_second: Calls a second unless the settings say otherwise; 0 for as many as there are.
        secrets: Settings that must name a variable which is set.
        parses: Module and function that reads its receipts; "" where signed JSON is posted, or
            nothing is reported.
        called: What it is called, in English.
    """

    opens: str
    recovery: Recovery
    because: str
    key_seconds: int = 0
    per_second: float = 0.0
    secrets: tuple[str, ...] = ("secret_env",)
    parses: str = ""
    called: str = ""


_NO_KEYS = "the provider knows no keys: a contact sent again would arrive again"
_WECHAT = "wechat.receipts:parse_wechat"
KINDS: dict[str, Kind] = {
    "email": Kind(
        "email.channel:EmailChannel",
        _HOLD,
        "SMTP delivers whatever it is handed; resend with key_header and key_seconds",
        secrets=(),
        parses="email.receipts:parse_email",
        called="E-mail by SMTP",
    ),
    "aliyun_sms": Kind(
        "sms.aliyun:AliyunSms",
        _RECONCILE,
        "QuerySendDetails shows OutId, our key, by number and day",
        per_second=100,
        parses="sms.receipts:parse_aliyun",
        called="SMS by Aliyun",
    ),
    "tencent_sms": Kind(
        "sms.tencent:TencentSms",
        _RECONCILE,
        "states pulled by number show SessionContext, our key",
        per_second=200,
        parses="sms.receipts:parse_tencent",
        called="SMS by Tencent Cloud",
    ),
    "wecom": Kind(
        "wechat.wecom:WecomChannel",
        _RECONCILE,
        "tasks can be listed, with their text and customers",
        parses=_WECHAT,
        called="WeCom group sending",
    ),
    "wecom_welcome": Kind(
        "wechat.welcome:WelcomeChannel",
        _RESEND,
        "a welcome code works once",
        key_seconds=20,
        parses=_WECHAT,
        called="WeCom welcome",
    ),
    "group_bot": Kind(
        "wechat.bot:GroupBot", _HOLD, _NO_KEYS, per_second=20 / 60, called="WeCom group bot"
    ),
    "wechat_template": Kind(
        "wechat.official:TemplateMessage",
        _RESEND,
        "client_msg_id is sent once within 10 minutes",
        key_seconds=600,
        per_second=100,
        parses=_WECHAT,
        called="Template message of an official account",
    ),
    "wechat_subscribe": Kind(
        "wechat.official:SubscribeMessage",
        _HOLD,
        _NO_KEYS,
        per_second=100,
        parses=_WECHAT,
        called="Subscribe message of an official account",
    ),
    "mini_program": Kind(
        "wechat.official:MiniProgramMessage",
        _HOLD,
        _NO_KEYS,
        per_second=100,
        parses=_WECHAT,
        called="Subscribe message of a mini program",
    ),
    "fcm": Kind(
        "push.fcm:FcmChannel", _HOLD, _NO_KEYS, per_second=500, called="App push by FCM"
    ),
    "jpush": Kind(
        "push.jpush:JPushChannel",
        _RESEND,
        "a cid gives its first result for a day",
        key_seconds=DAY,
        per_second=10,
        parses="push.receipts:parse_jpush",
        called="App push by JPush",
    ),
    "web_push": Kind(
        "push.web_push:WebPushChannel", _HOLD, _NO_KEYS, per_second=200, called="Push to browsers"
    ),
    "webhook": Kind(
        "webhook.channel:WebhookChannel",
        _RESEND,
        "webhook-id is our key, and the receiver acts on an id once",
        key_seconds=DAY,
        called="Signed webhook",
    ),
    "onsite": Kind(
        "onsite.channel:OnsiteChannel",
        _RESEND,
        "a key waits once in our own store",
        key_seconds=TEN_YEARS,
        secrets=(),
        called="On-site and in-app",
    ),
    "csv": Kind(
        "files.channel:ListChannel",
        _RESEND,
        "a key that is in the list is not written again",
        key_seconds=TEN_YEARS,
        secrets=(),
        called="List as CSV",
    ),
    "xlsx": Kind(
        "files.channel:ListChannel",
        _RESEND,
        "a key that is in the list is not written again",
        key_seconds=TEN_YEARS,
        secrets=(),
        called="List as workbook",
    ),
    "apprise": Kind(
        "tail.channel:AppriseChannel", _HOLD, "Apprise's no may come too late", per_second=5,
        called="Any of Apprise's services",
    ),
}  # fmt: skip
SECRETS = ("secret_env", "receipt_secret_env", "dkim_key_env")


@dataclass(frozen=True)
class ChannelState:
    """One channel as the settings have it.

    Attributes:
        name: The channel.
        via: Its kind.
        called: What that is, in English.
        message_class: "marketing" or "transactional".
        recovery: What may be done with contacts nobody confirmed.
        because: Why.
        key_seconds: How long its provider remembers a key.
        per_second: Calls a second; 0 for as many as there are.
        host: Where it calls, when not the provider's usual address; "".
        missing: Variables that must be set and are not.
        problem: What keeps it from working; "" when nothing does.
    """

    name: str
    via: str
    called: str
    message_class: str
    recovery: str
    because: str
    key_seconds: int
    per_second: float
    host: str
    missing: tuple[str, ...]
    problem: str


def open_channel(
    name: str,
    settings: ChannelSettings,
    *,
    folder: Path,
    environment: Mapping[str, str],
    clock: Callable[[], datetime] = wall_clock,
    is_stopped: Callable[[], bool] = never,
) -> Channel:
    """Open one channel.

    Args:
        name: Its name in the settings.
        settings: What they say of it.
        folder: The workspace.
        environment: Variables that hold its secrets.
        clock: Gives the moment signatures carry.
        is_stopped: Tells whether everything was stopped.

    Returns:
        The channel; one that lacks something says what, and sends nothing, so that the others
        are not held up by it.

    Raises:
        UnknownName: There is no such kind.
    """
    kind = _kind(settings.via)
    missing = missing_variables(settings, environment)
    problem = _lack(name, settings, missing) if missing else ""
    if not problem:
        secrets = {s: environment.get(getattr(settings, s), "") for s in SECRETS}
        setup = Setup(name, settings, Secrets(secrets), folder, clock, is_stopped)
        try:
            module, _, wanted = kind.opens.partition(":")
            opened: Channel = getattr(import_module(_HERE + module), wanted)(setup)
        except InputError as error:
            problem = str(error)
        else:
            return opened
    return UnreadyChannel(kind.recovery, kind.key_seconds, problem)


def missing_variables(settings: ChannelSettings, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Name the variables a channel needs that are not set.

    Args:
        settings: What the settings say of it.
        environment: The variables there are.

    Returns:
        Names of variables, or of the settings that should name one; empty when none is missing.

    Example:
        >>> settings = ChannelSettings(via="jpush", secret_env="PUSH_SECRET")
        >>> missing_variables(settings, {}), missing_variables(settings, {"PUSH_SECRET": "s"})
        (('PUSH_SECRET',), ())
    """
    wanted = list(_kind(settings.via).secrets) if settings.via != "outbox" else []
    if settings.smtp_user and settings.via == "email":
        wanted.append("secret_env")
    if settings.bounce_domain:
        wanted.append("receipt_secret_env")
    if settings.dkim_key_env:
        wanted.append("dkim_key_env")
    names = [getattr(settings, name) or name for name in dict.fromkeys(wanted)]
    return tuple(name for name in names if not environment.get(name))


def describe(
    channels: Mapping[str, ChannelSettings],
    *,
    folder: Path,
    environment: Mapping[str, str],
) -> list[ChannelState]:
    """List the channels of a workspace, and what each still needs.

    Args:
        channels: What the settings say, by name.
        folder: The workspace.
        environment: The variables there are.

    Returns:
        One row per channel, in the order of the settings; nothing is called.
    """
    found = []
    for name, settings in channels.items():
        if settings.via == "outbox":
            found.append(_outbox(name, settings))
            continue
        kind = _kind(settings.via)
        opened = open_channel(name, settings, folder=folder, environment=environment)
        found.append(
            ChannelState(
                name=name,
                via=settings.via,
                called=kind.called,
                message_class=settings.message_class,
                recovery=opened.recovery.value,
                because=kind.because,
                key_seconds=opened.key_seconds,
                per_second=settings.rate_per_second or kind.per_second,
                host=settings.base_url or settings.smtp_host,
                missing=missing_variables(settings, environment),
                problem=str(getattr(opened, "problem", "")),
            )
        )
    return found


def receipt_parsers() -> dict[str, str]:
    """Give the parsers of receipts, as module and function, by kind.

    Returns:
        One per kind whose provider has a form of its own.
    """
    return {via: _HERE + kind.parses for via, kind in KINDS.items() if kind.parses}


def _kind(via: str) -> Kind:
    if via not in KINDS:
        raise UnknownName("channel adapter", via, [*KINDS, "outbox"])
    return KINDS[via]


def _lack(name: str, settings: ChannelSettings, missing: tuple[str, ...]) -> str:
    first = missing[0]
    if first in SECRETS:
        return (
            f"channel {name} ({settings.via}): {first} is missing; name a variable in "
            f"[channels.{name}], such as REGULARS_{name.upper()}_SECRET, and put the secret there"
        )
    return (
        f"channel {name} ({settings.via}): the variable {first} is not set; run: "
        f"export {first}=..., see docs/how-to/connect-a-channel.md"
    )


def _outbox(name: str, settings: ChannelSettings) -> ChannelState:
    return ChannelState(
        name=name,
        via="outbox",
        called="Files for whoever carries contacts out",
        message_class=settings.message_class,
        recovery=_RESEND.value,
        because="each key is once in the file of its turn",
        key_seconds=TEN_YEARS,
        per_second=0.0,
        host="",
        missing=(),
        problem="",
    )
