"""Written messages held against barred addresses, right before they are handed over."""

import re
from collections.abc import Callable, Mapping, Sequence

from regulars.govern.suppression.reasons import SuppressionReason, stamp
from regulars.ports.channels import Contact, Message
from regulars.ports.state import Queries, State, Transaction

SUPPRESSED = "suppressed"
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{5,24}")
_SQL = Queries(__package__)


def without_barred(
    composed: Mapping[str, Message | str],
    contacts: Sequence[Contact],
    *,
    state: State,
    token: Callable[[str, str], str],
) -> dict[str, Message | str]:
    """Take out the messages that would go to a barred phone number or e-mail address.

    The rules of contact know customers; an address of somebody unknown, or of somebody erased,
    shows only once a message has it.

    Args:
        composed: By key the message, or the reason code why there is none.
        contacts: The contacts they are for.
        state: The transactional store.
        token: Turns a kind and a clear value into its token.

    Returns:
        The same, with the reason code suppressed in place of barred messages. What a customer
        waits for goes to an address that only opted out.
    """
    found = dict(composed)
    with state.reading() as opened:
        for contact in contacts:
            message = found.get(contact.key)
            if isinstance(message, Message) and _is_barred(opened, contact, message, token):
                found[contact.key] = SUPPRESSED
    return found


def _is_barred(
    opened: Transaction, contact: Contact, message: Message, token: Callable[[str, str], str]
) -> bool:
    kind = "email" if "@" in message.address else "phone"
    if kind == "phone" and not _PHONE.fullmatch(message.address):
        return False
    rows = opened.all(
        _SQL["reasons"],
        token=token(kind, message.address),
        channel=contact.channel,
        now=stamp(contact.at),
    )
    reasons = {row["reason"] for row in rows}
    if reasons != {SuppressionReason.OPTED_OUT.value}:
        return bool(reasons)
    classes = opened.all(_SQL["message_class"], key=contact.key)
    return not classes or classes[0]["message_class"] != "transactional"
