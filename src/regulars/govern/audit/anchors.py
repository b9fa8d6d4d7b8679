"""Anchors: the head of the audit chain, signed with Ed25519 and copied outside the state."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from regulars.govern.audit.chain import Fault, canonical


@dataclass(frozen=True)
class Anchor:
    """A signed statement that the log held this entry with this hash at this moment.

    A chain alone cannot show that its tail was cut or that all of it was written anew;
    an anchor kept elsewhere can.

    Attributes:
        number: Number of the last entry when it was signed.
        hash: Hash of that entry.
        at: The moment, ISO 8601 in UTC.
        signature: Ed25519 signature over the three above, hexadecimal.
    """

    number: int
    hash: str
    at: str
    signature: str


def sign(key: Ed25519PrivateKey, *, number: int, hash: str, at: str) -> Anchor:  # noqa: A002
    """Sign the head of a chain.

    Args:
        key: The workspace's key.
        number: Number of the last entry.
        hash: Its hash.
        at: The moment, ISO 8601 in UTC.

    Returns:
        The anchor.

    Source:
        RFC 8032 (Ed25519); anchoring after Crosby and Wallach (2009), "Efficient data
        structures for tamper-evident logging", without their tree: our logs are walked whole.

    Example:
        >>> key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        >>> anchor = sign(key, number=1, hash="ab", at="t")
        >>> is_genuine(anchor, key.public_key())
        True
        >>> is_genuine(Anchor(2, "ab", "t", anchor.signature), key.public_key())
        False
    """
    return Anchor(number, hash, at, key.sign(_message(number, hash, at)).hex())


def is_genuine(anchor: Anchor, key: Ed25519PublicKey) -> bool:
    """Tell whether an anchor was signed with the key that belongs to `key`.

    Returns:
        False also when the signature is no signature at all.
    """
    try:
        key.verify(bytes.fromhex(anchor.signature), _message(anchor.number, anchor.hash, anchor.at))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def first_bad_anchor(
    kept: Sequence[Anchor], copied: Sequence[Anchor | None], key: Ed25519PublicKey
) -> Fault | None:
    """Compare the anchors in the state with their copies outside.

    The copy is written first, so it may hold one anchor more, never one less.

    Args:
        kept: Anchors in the state, by number.
        copied: Lines of the copy in order; None for a line that is no anchor.
        key: Public half of the workspace's key.

    Returns:
        The first fault, or None.
    """
    return _bad_copy(kept, copied, key) or _bad_match(kept, copied)


def to_line(anchor: Anchor) -> str:
    """Write an anchor as one line of the copy.

    Returns:
        JSON and a line feed.
    """
    return canonical(asdict(anchor)) + "\n"


def from_line(line: str) -> Anchor | None:
    """Read one line of the copy.

    Returns:
        The anchor, or None when the line is none.
    """
    try:
        parts: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(parts, Mapping) or set(parts) != {"number", "hash", "at", "signature"}:
        return None
    if not isinstance(parts["number"], int):
        return None
    return Anchor(parts["number"], str(parts["hash"]), str(parts["at"]), str(parts["signature"]))


def _message(number: int, hash_: str, at: str) -> bytes:
    return canonical({"number": number, "hash": hash_, "at": at}).encode("utf-8", "surrogatepass")


def _fault(anchors: Sequence[Anchor | None], place: int, says: str) -> Fault:
    anchor = anchors[place] if place < len(anchors) else None
    return Fault(anchor.number if anchor else 1, "anchor", says)


def _bad_copy(
    kept: Sequence[Anchor], copied: Sequence[Anchor | None], key: Ed25519PublicKey
) -> Fault | None:
    before = 0
    for place, copy in enumerate(copied):
        if copy is None:
            return _fault(kept, place, f"line {place + 1} of the anchors copy is not an anchor")
        if copy.number <= before:
            return _fault(kept, place, f"line {place + 1} of the anchors copy is out of order")
        if not is_genuine(copy, key):
            return _fault(kept, place, f"the anchor at entry {copy.number} has a wrong signature")
        before = copy.number
    return None


def _bad_match(kept: Sequence[Anchor], copied: Sequence[Anchor | None]) -> Fault | None:
    for place, anchor in enumerate(kept):
        if place >= len(copied):
            says = f"the anchors copy ends before the anchor at entry {anchor.number}"
            return Fault(anchor.number, "anchor", says)
        if anchor != copied[place]:
            says = f"the anchor at entry {anchor.number} differs from its copy"
            return Fault(anchor.number, "anchor", says)
    if len(copied) > len(kept) + 1:
        says = f"{len(copied) - len(kept)} anchors of the copy are gone from the state"
        return _fault(copied, len(kept), says)
    return None
