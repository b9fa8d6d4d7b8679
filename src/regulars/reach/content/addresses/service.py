"""Addresses in the state: registered, forgotten, and given in clear to the hand that sends."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from ibis import _

from regulars.errors import InputError
from regulars.govern.protection.service import Protector
from regulars.govern.protection.tokens import is_token, normalise
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State

PROTECTED = frozenset({"phone", "email", "address"})
WRITTEN_ONE_WAY = frozenset({"phone", "email"})
NAMESPACE = {"phone": "phone", "email": "email", "openid": "openid"}
FACT = {"phone": "phone", "email": "email", "openid": "wechat_id"}
MOST_LETTERS = 4_000
_SQL = Queries(__package__)


@cache
def kinds() -> dict[str, dict[str, str]]:
    """Read which kind of address a channel needs: channels.toml.

    Returns:
        Kind by adapter, under "by_via", and by word of a channel's name, under "by_name".
    """
    text = files(__package__).joinpath("channels.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def address_kind(channel: str, via: str = "") -> str:
    """Tell which kind of address a channel needs.

    Args:
        channel: Name of the channel.
        via: Adapter that carries it.

    Returns:
        "email", "phone", "openid"...; "" for a channel that needs none.

    Example:
        >>> address_kind("news", "aliyun_sms"), address_kind("email"), address_kind("hook")
        ('phone', 'email', '')
    """
    known = kinds()
    if via in known["by_via"]:
        return known["by_via"][via]
    return next((kind for word, kind in known["by_name"].items() if word in channel), "")


def register(
    state: State,
    protector: Protector,
    customer_id: str,
    address: tuple[str, str],
    *,
    source: str,
    now: datetime,
) -> None:
    """Keep an address of a customer, such as the token of an app on a telephone.

    Messages allowed from the address before anybody knew whose it is are counted for the customer
    by the next pass.

    Args:
        state: The workspace's state.
        protector: Turns phone numbers and e-mail addresses into tokens.
        customer_id: Who.
        address: Kind and value: ("push_token", "...").
        source: Where it was told.
        now: The moment, aware.

    Raises:
        InputError: The value is empty, far too long, or cannot be read as its kind.
    """
    kind, value = address[0], address[1].strip()
    if not value or len(value) > MOST_LETTERS:
        raise InputError(
            f"the {kind} of {customer_id} has {len(value)} letters, must have 1 to {MOST_LETTERS}"
        )
    if kind in PROTECTED and not is_token(value):
        import pyarrow as pa  # noqa: PLC0415

        if normalise(kind, value) is None:
            raise InputError(f"the {kind} of {customer_id} cannot be read as one; check it")
        value = protector.protect_column(kind, pa.array([value])).to_pylist()[0]
    seen = {
        "address": value,
        "seen_at": now.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    with state.transaction() as opened:
        opened.run(_SQL["register"], customer_id=customer_id, kind=kind, source=source, **seen)
        opened.run(_SQL["wait_again"], **seen)


def forget(state: State, customer_id: str, kind: str, address: str) -> bool:
    """Forget an address that a provider says is dead; False when it was not known."""
    with state.transaction() as opened:
        return bool(opened.run(_SQL["forget"], customer_id=customer_id, kind=kind, address=address))


def clear_addresses(
    state: State,
    protector: Protector,
    customers: Sequence[str],
    kind: str,
    *,
    reader: Reader | None = None,
) -> dict[str, str]:
    """Give the addresses of one window of contacts in clear, for the hand that sends.

    What was registered wins; then the identifier seen last; then the members' file.

    Args:
        state: The workspace's state.
        protector: Holder of the vault.
        customers: Who.
        kind: Kind of address.
        reader: Opens the members' file; None to do without.

    Returns:
        Address by customer; customers without one are left out.
    """
    asked = json.dumps(sorted(set(customers)), ensure_ascii=False)
    found: dict[str, str] = {}
    with state.reading() as opened:
        for row in opened.all(_SQL["registered"], customers=asked, kind=kind):
            found.setdefault(row["customer_id"], row["address"])
        if kind in NAMESPACE:
            for row in opened.all(_SQL["identified"], customers=asked, kind=NAMESPACE[kind]):
                found.setdefault(row["customer_id"], row["value"])
    left = sorted(set(customers) - found.keys())
    if left and reader is not None and kind in FACT:
        found |= _from_file(reader, left, FACT[kind])
    return _clear(protector, found, kind)


def _from_file(reader: Reader, customers: Sequence[str], column: str) -> dict[str, str]:
    known = reader.table("customers").filter(_.customer_id.isin(list(customers)))
    rows = reader.rows(known.select("customer_id", address=known[column]))
    return {row["customer_id"]: row["address"] for row in rows if row["address"]}


def _clear(protector: Protector, found: Mapping[str, str], kind: str) -> dict[str, str]:
    tokens = sorted({value for value in found.values() if is_token(value)})
    clear = protector.clear_for_contact(tokens)
    values = {
        who: clear.get(value, "") if is_token(value) else value for who, value in found.items()
    }
    if kind in WRITTEN_ONE_WAY:
        values = {who: normalise(kind, value) or "" for who, value in values.items() if value}
    return {who: value for who, value in values.items() if value}
