"""The proof of one customer's consent, as one record whose digest shows any change."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from regulars.govern.consent.notices.service import Published, notices
from regulars.govern.consent.service import CustomerConsent, show
from regulars.govern.suppression.reasons import stamp
from regulars.govern.suppression.service import BarChange, changes_of
from regulars.ports.state import State


@dataclass(frozen=True)
class Proof:
    """What one customer consented to, said and was told.

    Attributes:
        customer_id: Who.
        made_at: When the proof was made.
        consent: Words in force, and every word with source, moment and evidence.
        notices: The notices those words rest on, whole.
        suppressions: Every change of his suppressions, the newest first.
        digest: SHA-256 of all of it, as canonical JSON.
    """

    customer_id: str
    made_at: str
    consent: CustomerConsent
    notices: list[Published]
    suppressions: list[BarChange]
    digest: str = ""


def prove(state: State, customer_id: str, *, now: datetime) -> Proof:
    """Put together the proof of one customer's consent.

    Args:
        state: The transactional store.
        customer_id: Who.
        now: The moment, aware.

    Returns:
        The proof; for a customer who never said anything, one that says so.
    """
    consent = show(state, customer_id, now=now)
    cited = {change.notice_version for change in consent.changes}
    told = [one for one in notices(state) if one.version in cited]
    found = Proof(customer_id, stamp(now), consent, told, changes_of(state, customer_id))
    return Proof(
        found.customer_id,
        found.made_at,
        found.consent,
        found.notices,
        found.suppressions,
        digest_of(asdict(found)),
    )


def digest_of(proof: dict[str, Any]) -> str:
    """Give the digest of a proof as it is exported.

    Args:
        proof: The proof as a mapping; its own digest is left out.

    Returns:
        SHA-256 in hexadecimal.

    Example:
        >>> digest_of({"customer_id": "ann", "digest": "x"}) == digest_of({"customer_id": "ann"})
        True
    """
    kept = {name: value for name, value in proof.items() if name != "digest"}
    text = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
