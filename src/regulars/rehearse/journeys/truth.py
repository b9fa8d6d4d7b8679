"""What each journey caused in truth: the same twin, the same luck, without its contacts."""

from collections.abc import Mapping, Sequence

import numpy as np

from regulars.twin import Contacts, Outcome, State, Twin


class Truth:
    """The twin as it goes, and beside it one twin per journey whose contacts never arrive.

    Args:
        twin: The retailer.
        state: Where it stands.
        names: Journeys.
    """

    def __init__(self, twin: Twin, state: State, names: Sequence[str]) -> None:
        """Begin all of them at the same state."""
        self._twin, self.state = twin, state
        self._without = dict.fromkeys(names, state)
        self.margin = dict.fromkeys(names, 0.0)
        self.orders = dict.fromkeys(names, 0)

    def live(self, contacts: Contacts, of: Sequence[str]) -> Outcome:
        """Live one week.

        Args:
            contacts: Contacts of all journeys, at most one per customer.
            of: Journey of each contact.

        Returns:
            What the week brought.
        """
        self.state, outcome = self._twin.advance(self.state, contacts)
        journeys = np.array(of, dtype=object)
        for name, state in self._without.items():
            kept = np.flatnonzero(journeys != name)
            others = Contacts(contacts.customer[kept], contacts.offer[kept], contacts.channel[kept])
            self._without[name], alone = self._twin.advance(state, others)
            self.margin[name] += float(outcome.margin.sum() - alone.margin.sum())
            self.orders[name] += int(outcome.orders.sum() - alone.orders.sum())
        return outcome

    def told(self) -> Mapping[str, tuple[float, int]]:
        """Give margin and orders caused by journey."""
        return {name: (round(self.margin[name], 2), self.orders[name]) for name in self.margin}
