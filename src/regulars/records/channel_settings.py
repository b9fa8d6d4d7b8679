"""What `regulars.toml` may say of one channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from regulars.errors import InputError

_BY_GRANT = frozenset({"wechat_subscribe", "mini_program"})
Limits = list[tuple[str, float | Decimal, float, float]]


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
        smtp_security: "starttls", "tls" or "none"; "" for starttls, and none on this machine.
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
    smtp_security: str = ""
    smtp_user: str = ""
    reply_to: str = ""
    bounce_domain: str = ""
    key_header: str = ""
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_key_env: str = ""
    path: str = ""


def limits_of_channel(name: str, part: ChannelSettings, file: str) -> Limits:
    """Check the words of a channel, and give the limits of its numbers.

    Args:
        name: The channel.
        part: What the file says of it.
        file: Path of the file, for errors.

    Returns:
        Name, value, least and most of every number.

    Raises:
        InputError: A word is none of those there are, or a secret stands where the name of a
            variable belongs.
    """
    where = f"{file}: channels.{name}"
    if part.message_class not in {"marketing", "transactional"}:
        raise InputError(
            f'{where}: message_class is {part.message_class!r}, must be "marketing" or '
            '"transactional"'
        )
    if part.smtp_security not in {"", "starttls", "tls", "none"}:
        raise InputError(
            f'{where}: smtp_security is {part.smtp_security!r}, must be "starttls", "tls" or "none"'
        )
    if part.base_url and not part.base_url.startswith(("https://", "http://")):
        raise InputError(
            f"{where}: base_url is {part.base_url!r}, must begin with https:// (or http:// "
            "for a server of your own)"
        )
    _refuse_secret_in_place_of_variable(part, where)
    return [
        (f"channels.{name}.rate_per_second", part.rate_per_second, 0, 100_000),
        (f"channels.{name}.timeout_seconds", part.timeout_seconds, 0.1, 600),
        (f"channels.{name}.connections", part.connections, 1, 256),
        (f"channels.{name}.window", part.window, 0, 100_000),
        (f"channels.{name}.smtp_port", part.smtp_port, 0, 65_535),
        (f"channels.{name}.key_seconds", part.key_seconds, -1, 10**9),
    ]


def refuse_shared_templates(channels: Mapping[str, ChannelSettings], file: str) -> None:
    """Refuse two channels that would count one grant of a customer twice.

    Args:
        channels: What the file says of each channel.
        file: Path of the file, for errors.

    Raises:
        InputError: Two channels of one account send one template, which customers allow one by
            one.

    Example:
        >>> mini = ChannelSettings(via="mini_program", account="wx1", template="T1")
        >>> refuse_shared_templates({"a": mini}, "regulars.toml")
    """
    first: dict[tuple[str, str, str], str] = {}
    for name, part in channels.items():
        if part.via in _BY_GRANT and part.template:
            other = first.setdefault((part.via, part.account, part.template), name)
            if other != name:
                raise InputError(
                    f"{file}: channels.{other} and channels.{name} both send template "
                    f"{part.template} of account {part.account}; a customer allows one message "
                    "of a template at a time, so make it one channel"
                )


def _refuse_secret_in_place_of_variable(part: ChannelSettings, where: str) -> None:
    for name in ("secret_env", "receipt_secret_env", "dkim_key_env"):
        value = getattr(part, name)
        if value and not (value.isascii() and value.isidentifier() and value.isupper()):
            raise InputError(
                f"{where}: {name} must be the name of a variable in capitals, such as "
                "REGULARS_SMS_SECRET; put the secret itself into that variable, not into this file"
            )
