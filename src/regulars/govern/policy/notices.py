"""Notices: was consent given under a notice that still holds?"""

import re
from collections.abc import Mapping


def is_stale(version: str | None, *, required: str, effective_from: Mapping[str, str]) -> bool:
    """Tell whether consent rests on an older notice than the one required.

    Notices we published are older or newer by the moment they took effect; versions we do not
    know are compared as people write them, 2.10 after 2.9.

    Args:
        version: Notice the customer was shown; None when that was not recorded.
        required: Oldest notice that still holds; "" when any does.
        effective_from: Moment each published notice took effect, by version.

    Returns:
        True when the customer must be asked again.

    Source:
        Ours, because PIPL Art. 14 wants new consent when purpose, means or kinds change.

    Example:
        >>> is_stale("2.9", required="2.10", effective_from={})
        True
    """
    if not required or version == required:
        return False
    if not version:
        return True
    if version in effective_from and required in effective_from:
        return effective_from[version] < effective_from[required]
    return _parts(version) < _parts(required)


def _parts(version: str) -> list[tuple[int, int, str]]:
    """Cut a version into numbers and words that compare."""
    found = re.findall(r"\d+|[^\W\d_]+", version)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in found]
