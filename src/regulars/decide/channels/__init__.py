"""Channels: what each can do for whom (reach, engage, convert, cost), learned and overridable.

`capabilities` learns the matrix from plain counts, which `counts_of` reads from any table; no
workspace is needed. It tells what happened after contacts, not what they caused.
"""

from regulars.decide.channels.capability import (
    Capability,
    Counts,
    Rate,
    capabilities,
    counts_of,
    of_customer,
)

__all__ = ["Capability", "Counts", "Rate", "capabilities", "counts_of", "of_customer"]
