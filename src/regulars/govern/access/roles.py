"""Roles, and the matrix that says which of them may call a route."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from regulars.errors import UnknownName


class Role(StrEnum):
    """What a user of the console may do; each role may do what the ones before it may.

    A viewer sees figures and masked customers; an analyst may uncover a customer's contact
    data; a marketer prepares campaigns; an approver lets them out; an admin manages users.
    """

    VIEWER = "viewer"
    ANALYST = "analyst"
    MARKETER = "marketer"
    APPROVER = "approver"
    ADMIN = "admin"


ANYONE = "anyone"
"""In a matrix: the route is open without signing in."""

SIGNED = "anyone with a signed link"
"""In a matrix: open too; the signed token in its path stands for session and form token."""

PUBLISHED = "a page with a publishable key"
"""In a matrix: open to pages of the origins that the key in its path is bound to."""


def role_named(name: str) -> Role:
    """Find a role by its name.

    Returns:
        The role.

    Raises:
        UnknownName: There is no such role.

    Example:
        >>> role_named("viewer") is Role.VIEWER
        True
    """
    try:
        return Role(name)
    except ValueError:
        raise UnknownName("role", name, [role.value for role in Role]) from None


def covers(role: Role, least: Role) -> bool:
    """Tell whether a role may do what another may.

    Returns:
        True when the role is the other one or stands above it.

    Example:
        >>> covers(Role.ADMIN, Role.VIEWER), covers(Role.VIEWER, Role.ANALYST)
        (True, False)
    """
    order = list(Role)
    return order.index(role) >= order.index(least)


@dataclass(frozen=True)
class RoleMatrix:
    """Least role per route; what is not listed is refused.

    Attributes:
        least_by_route: A role, ANYONE, SIGNED or PUBLISHED, by "METHOD /path/{template}".
    """

    least_by_route: Mapping[str, Role | str]

    def is_open(self, route: str) -> bool:
        """Tell whether a route needs no sign-in.

        Returns:
            False for every route the matrix does not list.
        """
        return self.least_by_route.get(route) in {ANYONE, SIGNED, PUBLISHED}

    def is_signed(self, route: str) -> bool:
        """Tell whether a signed link, or a publishable key, is all a route needs, of forms too.

        Whoever can make such a link can do what it does; so there is nothing for a foreign
        page to ride on, and a form needs no cookie (RFC 8058 forbids to ask for one).

        Returns:
            False for every route the matrix does not list.
        """
        return self.least_by_route.get(route) in {SIGNED, PUBLISHED}

    def allows(self, route: str, role: Role | None) -> bool:
        """Tell whether somebody may call a route.

        Args:
            route: "METHOD /path/{template}".
            role: The caller's role, or None when nobody is signed in.

        Returns:
            False for every route the matrix does not list.

        Example:
            >>> matrix = RoleMatrix({"GET /": Role.VIEWER, "GET /healthz": ANYONE})
            >>> matrix.allows("GET /", Role.ADMIN), matrix.allows("GET /", None)
            (True, False)
            >>> matrix.allows("GET /healthz", None), matrix.allows("GET /new", Role.ADMIN)
            (True, False)
        """
        least = self.least_by_route.get(route)
        if least is None:
            return False
        if not isinstance(least, Role):
            return least in {ANYONE, SIGNED, PUBLISHED}
        return role is not None and covers(role, least)
