"""Messages customers allowed one by one (一次性订阅): which channels a grant counts for."""

from collections.abc import Mapping, Sequence

from regulars.records.channel_settings import ChannelSettings
from regulars.records.receipts import ParsedReceipt, ReceiptKind


def by_channel(
    channels: Mapping[str, ChannelSettings], channel: str, receipts: Sequence[ParsedReceipt]
) -> dict[str, list[ParsedReceipt]]:
    """Sort the receipts of one post by the channel they are taken in for.

    An account has one callback address, and a channel per template: what a customer allowed by a
    template counts for the channels of the account that send it.

    Args:
        channels: What the settings say of each channel.
        channel: Channel of the address the post came to.
        receipts: What its parser read.

    Returns:
        Receipts by channel, the post's own first; a grant by a template no channel sends counts
        for none.

    Example:
        >>> from datetime import UTC, datetime
        >>> mini = ChannelSettings(via="mini_program", account="wx1", template="T1")
        >>> at = datetime(2026, 3, 2, tzinfo=UTC)
        >>> granted = ParsedReceipt(ReceiptKind.GRANTED, at, detail="T1", address="o1")
        >>> {name: len(own) for name, own in by_channel({"a": mini}, "a", [granted]).items()}
        {'a': 1}
    """
    found: dict[str, list[ParsedReceipt]] = {channel: []}
    for receipt in receipts:
        if receipt.kind is ReceiptKind.GRANTED and receipt.detail:
            for name in _sending(channels, channel, receipt.detail):
                found.setdefault(name, []).append(receipt)
        else:
            found[channel].append(receipt)
    return found


def _sending(channels: Mapping[str, ChannelSettings], channel: str, template: str) -> list[str]:
    """Name the channels of the same account that send a template."""
    own = channels.get(channel)
    if own is None:
        return []
    account = {
        name: one
        for name, one in channels.items()
        if (one.via, one.account) == (own.via, own.account)
    }
    named = [name for name, one in account.items() if one.template == template]
    return named or ([channel] if not own.template else [])
