"""The key of a contact: the same attempt has the same key, however often it is made."""

import hashlib


def contact_key(
    *, turn: int, customer_id: str, campaign_id: str, offer_id: str, channel: str
) -> str:
    """Name one attempt to contact one customer.

    A provider that knows the key delivers it once; so the key holds what makes the contact
    this contact, and nothing of the moment or process that tries.

    Args:
        turn: Turn of the decision.
        customer_id: Who.
        campaign_id: Campaign; empty when none was chosen.
        offer_id: Offer; empty when none was chosen.
        channel: Channel; empty when none was chosen.

    Returns:
        32 hexadecimal digits.

    Source:
        Ours, because a key drawn at random per attempt lets every retry through twice.

    Example:
        >>> contact_key(turn=1, customer_id="a", campaign_id="", offer_id="", channel="")
        '14d8006aaf197483660a49abcfe6b943'
    """
    text = "\x1f".join((str(turn), customer_id, campaign_id, offer_id, channel))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
