"""What an audience was judged on: whether the next look may be at a few customers only."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from regulars.understand.segments.audiences.rules import AudienceRule, Included
from regulars.understand.segments.audiences.tables import Clock
from regulars.unify.tags.rules import asked


@dataclass(frozen=True)
class Basis:
    """What a judgement rested on.

    Attributes:
        rule: Hash of the rule, with those of the audiences it names.
        turn: Hash of the files that hold profiles, scores and tags of the newest turn.
        merges: Length of the merge log.
        marks: What was given and removed by hand, where the rule asks about tags; else "".
        facts: What files and messages told, where the rule asks about it; else "".
        consents: Place in the consent ledger, where the rule asks about consents; else 0.
        at: The moment, ISO 8601.
        as_of: Its local day.
        batches: Last batch of events seen, by partition of the log.
    """

    rule: str
    turn: str
    merges: int
    marks: str
    facts: str
    consents: int
    at: str
    as_of: str
    batches: Mapping[str, int] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """When it was judged."""
        return Clock(datetime.fromisoformat(self.at), date.fromisoformat(self.as_of))

    def allows(self, now: "Basis") -> bool:
        """Tell whether only customers with news have to be judged again.

        Returns:
            False when the rule, the turn, or anything else that may change everybody did change.
        """
        same = ("rule", "turn", "merges", "marks", "facts")
        is_same = all(getattr(self, part) == getattr(now, part) for part in same)
        return is_same and self.clock.at <= now.clock.at

    def as_json(self) -> str:
        """Give it as it is kept."""
        return json.dumps(asdict(self), sort_keys=True)


def read_basis(text: str) -> Basis:
    """Read what was kept.

    Returns:
        The basis.

    Example:
        >>> kept = Basis("r", "t", 0, "", "", 0, "2026-03-01T04:00:00+00:00", "2026-03-01")
        >>> read_basis(kept.as_json()) == kept
        True
    """
    told: dict[str, Any] = json.loads(text)
    return Basis(**told)


def hash_of(rule: AudienceRule) -> str:
    """Name a rule by what it says."""
    return hashlib.blake2b(repr(rule).encode(), digest_size=12).hexdigest()


def kinds_of(rule: AudienceRule) -> set[str]:
    """Name the kinds of sets a rule asks about: tag, consent, journey."""
    return {one.kind for one in asked(rule) if isinstance(one, Included)}


def hash_of_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """Name rows by what they say, whatever their order."""
    told = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
    return hashlib.blake2b("\n".join(told).encode(), digest_size=12).hexdigest()
