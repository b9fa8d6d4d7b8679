"""The two-person rule: who may approve what others made and asked for."""

from collections.abc import Collection
from dataclasses import dataclass

from regulars.errors import NotAllowed
from regulars.govern.access import Role, covers

LEAST_ROLE = Role.APPROVER


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands behind an act.

    Attributes:
        name: A user's name; for an API key the one whose key it is.
        role: What they may do, by the narrower of key and user; None for nobody we know.
    """

    name: str
    role: Role | None


def checked_approver(person: Person, *, hands: Collection[str], requester: str) -> None:
    """Refuse an approver who may not approve.

    Args:
        person: Who approves.
        hands: Everybody who had a hand in it: author and editors.
        requester: Who asked for the approval.

    Raises:
        NotAllowed: The person is not known by name, has a lesser role, or is one of those
            who made or asked for it.

    Source:
        Ours, after the segregation of duties of GB/T 22239-2019 8.1.10: who makes a thing
        does not let it out.

    Example:
        >>> checked_approver(Person("bo", Role.APPROVER), hands=["an"], requester="an")
    """
    if person.role is None:
        raise NotAllowed(
            "two-person",
            f"{person.name} is no user who can be asked later, must be one; sign in, or use the "
            "API key of a user (regulars govern api-key add NAME --role approver --owner USER)",
        )
    if not covers(person.role, LEAST_ROLE):
        raise NotAllowed(
            "role", f"{person.name} is {person.role}, must be {LEAST_ROLE} or more to approve"
        )
    if person.name in hands:
        raise NotAllowed(
            "two-person", f"{person.name} wrote or edited it; somebody else must approve"
        )
    if person.name == requester:
        raise NotAllowed("two-person", f"{person.name} asked for it; somebody else must approve")
