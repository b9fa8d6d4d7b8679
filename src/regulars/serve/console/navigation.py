"""The rooms of the console and the pages in each: the two rows of the main navigation."""

from dataclasses import dataclass

from regulars.serve.console.words.naming import N_


@dataclass(frozen=True)
class Door:
    """One page of the navigation.

    Attributes:
        address: Where it is; pages below it belong to it.
        name: Its name, to be translated.
    """

    address: str
    name: str

    def owns(self, path: str) -> bool:
        """Tell whether a page belongs to this one."""
        if self.address == "/":
            return path == "/"
        return path == self.address or path.startswith(f"{self.address}/")


@dataclass(frozen=True)
class Room:
    """A group of pages; its own link leads to the first of them.

    Attributes:
        name: Its name, to be translated.
        doors: Its pages, in order.
    """

    name: str
    doors: tuple[Door, ...]

    def holds(self, path: str) -> bool:
        """Tell whether a page is in this room."""
        return any(door.owns(path) for door in self.doors)


ROOMS = (
    Room(N_("Home"), (Door("/", N_("Home")),)),
    Room(
        N_("Customers"),
        (
            Door("/customers", N_("Customers")),
            Door("/audiences", N_("Audiences")),
            Door("/tags", N_("Tags")),
        ),
    ),
    Room(
        N_("Reach"),
        (
            Door("/campaigns", N_("Campaigns")),
            Door("/journeys", N_("Journeys")),
            Door("/loyalty", N_("Loyalty")),
            Door("/offers", N_("Offers")),
            Door("/contents", N_("Contents")),
            Door("/creators", N_("Creators")),
            Door("/delivery", N_("Delivery")),
        ),
    ),
    Room(
        N_("Money"),
        (
            Door("/budget", N_("Budget")),
            Door("/channels", N_("Channels")),
            Door("/effects", N_("Effects")),
            Door("/experiments", N_("Experiments")),
            Door("/scorecard", N_("Scorecard")),
            Door("/models", N_("Models")),
            Door("/policies", N_("Policies")),
        ),
    ),
    Room(N_("Learnings"), (Door("/learnings", N_("Learnings")),)),
    Room(
        N_("Rules"),
        (
            Door("/approvals", N_("Approvals")),
            Door("/policy", N_("Rules of contact")),
            Door("/copy", N_("Wording")),
            Door("/requests", N_("Requests of customers")),
        ),
    ),
    Room(N_("Data"), (Door("/data", N_("Data")),)),
)
"""Every room, in the order of the navigation. A room with one page shows no second row."""
