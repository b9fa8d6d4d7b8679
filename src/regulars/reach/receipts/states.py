"""What the receipts of a contact come to: a state that only ever rises, whatever comes first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from regulars.records.receipts import ParsedReceipt, ReceiptKind

SENT, SOFT_BOUNCED = "sent", "soft_bounced"
# The higher says more of what became of a contact. A bounce after a delivery came back later, so
# it counts; whoever opened, clicked, opted out or complained did get it.
RANK = {
    SENT: 0,
    SOFT_BOUNCED: 1,
    ReceiptKind.FAILED.value: 2,
    ReceiptKind.DELIVERED.value: 3,
    ReceiptKind.BOUNCED.value: 4,
    ReceiptKind.OPENED.value: 5,
    ReceiptKind.CLICKED.value: 6,
    ReceiptKind.OPTED_OUT.value: 7,
    ReceiptKind.COMPLAINED.value: 8,
}
KINDS = tuple(kind for kind in RANK if kind != SENT)
SOFT_MOST = 3
SOFT_WITHIN = timedelta(days=30)
SOFT_REST = timedelta(days=14)


@dataclass(frozen=True)
class ContactState:
    """What is known of one contact.

    Attributes:
        contact_key: Key of the contact in the send ledger.
        customer_id: Who was contacted.
        channel: Channel it took.
        first_at: Earliest moment of each kind of receipt, as text that sorts by time.
    """

    contact_key: str
    customer_id: str
    channel: str
    first_at: Mapping[str, str]

    @property
    def state(self) -> str:
        """The highest of what happened; "sent" before anything came."""
        return max(self.first_at, key=RANK.__getitem__, default=SENT)

    def with_receipt(self, kind: str, at: str) -> "ContactState":
        """Join one receipt to what is known.

        Joining in another order, or the same receipt again, gives the same.

        Args:
            kind: A kind of `KINDS`.
            at: When it happened.

        Returns:
            What is known then.

        Source:
            A join-semilattice: minimum per kind and maximum over kinds commute, associate and
            are idempotent (Shapiro et al. 2011, state-based CRDTs).

        Example:
            >>> before = ContactState("k", "ann", "sms", {})
            >>> before.with_receipt("opened", "2").with_receipt("delivered", "1").state
            'opened'
        """
        known = self.first_at.get(kind)
        return replace(self, first_at={**self.first_at, kind: min(known or at, at)})


def kind_of(receipt: ParsedReceipt) -> str:
    """Name what a receipt says, soft bounces apart from hard ones.

    Returns:
        One of `KINDS`.

    Example:
        >>> from datetime import UTC
        >>> kind_of(ParsedReceipt(ReceiptKind.BOUNCED, datetime(2026, 3, 2, tzinfo=UTC)))
        'soft_bounced'
    """
    if receipt.kind is ReceiptKind.BOUNCED and not receipt.is_permanent:
        return SOFT_BOUNCED
    return receipt.kind.value


def resting(soft_bounces: Sequence[datetime]) -> tuple[datetime, datetime] | None:
    """Tell whether a channel rests after too many soft bounces.

    Args:
        soft_bounces: First soft bounce of each contact of a customer on a channel, any order.

    Returns:
        Since when and until when; None while there were too few within a month.

    Source:
        Ours, because providers retry a full mailbox themselves: three contacts in a month that
        could not be delivered mean that nobody empties it.

    Example:
        >>> days = [datetime(2026, 3, day) for day in (1, 20, 9)]
        >>> resting(days[:2]), resting(days)[1].isoformat()
        (None, '2026-04-03T00:00:00')
    """
    ordered = sorted(soft_bounces)
    runs = [
        last
        for first, last in zip(ordered, ordered[SOFT_MOST - 1 :], strict=False)
        if last - first <= SOFT_WITHIN
    ]
    return (runs[-1], runs[-1] + SOFT_REST) if runs else None
