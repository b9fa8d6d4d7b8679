"""What a provider says later of contacts it took: delivered, bounced, complained, opted out."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ReceiptKind(StrEnum):
    """What happened to a contact, or what the customer did with it; or that he allowed one more."""

    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPTED_OUT = "opted_out"
    FAILED = "failed"
    GRANTED = "granted"


@dataclass(frozen=True, slots=True)
class ParsedReceipt:
    """One notice of a provider, as its parser read it; nothing is looked up yet.

    A parser is a pure function `parse(raw, headers, *, secret, now) -> list[ParsedReceipt]`:
    `headers` has names in lower case, and the query of the address under names that begin
    with "?", such as "?msg_signature"; a wrong or stale signature raises NotAllowed, an
    unreadable body InputError.

    Attributes:
        kind: What happened.
        occurred_at: When, aware UTC; when we were told where the provider does not say.
        key: Key of the contact, where the provider gives back what it was handed; else "".
        provider_id: The provider's name of the contact; "" when it gave none.
        detail: Reason code or status of the provider, such as "5.1.1" or "MK:0001"; "".
        is_permanent: True when the address will never work: a hard bounce.
        address: Address it came from, in clear, where nothing else tells who it is, such as
            the number that answered R; never logged, turned into a token by the inbox.
        notice_id: The provider's own name of this notice; "" when it has none. The same
            notice may come again.
        agent: User agent of an open or a click, by which programs are told from people; ""
            where the provider does not say.

    Example:
        >>> from datetime import UTC
        >>> moment = datetime(2026, 3, 2, tzinfo=UTC)
        >>> receipt = ParsedReceipt(ReceiptKind.OPTED_OUT, moment, address="+8613912345678")
        >>> "139" in repr(receipt)
        False
    """

    kind: ReceiptKind
    occurred_at: datetime
    key: str = ""
    provider_id: str = ""
    detail: str = ""
    is_permanent: bool = False
    address: str = field(default="", repr=False)
    notice_id: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class StaffTask:
    """One task that staff carry out, such as sending what was written for their customers.

    Attributes:
        name: The provider's name of the task.
        receipts: What is final, one per contact.
        waiting: The provider's names of contacts staff have not sent yet.
        is_over: True when every contact is final and all of them were read: nothing more comes.
    """

    name: str
    receipts: tuple[ParsedReceipt, ...]
    waiting: tuple[str, ...]
    is_over: bool = False
