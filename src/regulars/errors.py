"""Everything regulars raises on purpose.

    RegularsError
    ├── InputError      the caller can fix it: a wrong value, shape, unit or column
    │   └── UnknownName     no such segment, channel, table...; lists the known ones
    ├── NotAllowed      a rule in govern/ says no; carries the rule and the evidence
    ├── NotReady        something must happen first; says what to run
    └── OutsideError    a store, engine or channel failed
        ├── Transient       safe to retry
        └── Permanent       retrying will not help

A message says what was wrong, what was wanted, and what to do next, in that order.
"""

from collections.abc import Iterable


class RegularsError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(RegularsError, ValueError):
    """A value the caller gave cannot be used."""


class UnknownName(InputError):
    """A name that is not registered.

    Args:
        kind: What was looked up, as the user says it: "channel", "segment".
        name: The name that was not found.
        known: The names that would have worked.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        """Keep the parts, so that a caller can offer the known names."""
        self.kind, self.name, self.known = kind, name, sorted(known)
        super().__init__(f"no {kind} named {name!r}; known: {', '.join(self.known) or 'none'}")


class NotAllowed(RegularsError, PermissionError):
    """A rule in govern/ says no.

    Args:
        rule: The rule, as GLOSSARY.md names it: "role", "two-person".
        message: What was refused, and who may do it instead.
    """

    def __init__(self, rule: str, message: str) -> None:
        """Keep the rule, so that the audit log can name it."""
        self.rule = rule
        super().__init__(message)


class NotReady(RegularsError):
    """Something must happen first; the message says which command to run."""


class OutsideError(RegularsError):
    """A store, an engine or a channel failed."""


class Transient(OutsideError):
    """The failure may pass; the same call is safe to repeat."""


class Permanent(OutsideError):
    """The failure will not pass by itself; the message says what to mend."""
