"""Take all journeys on: tell events in order, walk whoever is due, until nothing moves any more."""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from regulars.errors import RegularsError, Transient
from regulars.ports.state import State
from regulars.reach.journeys.entering.service import BEFORE_ALL, events_wait, tell
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.reach.journeys.running.service import Means, running_journeys, walk_due
from regulars.reach.journeys.walking.moments import ms_of

_LOG = logging.getLogger("regulars.reach.journeys")


@dataclass
class Advanced:
    """What one look did.

    Attributes:
        entered: Customers let in, those left alone for measuring included.
        told: Customers inside for whom an event counted.
        customers: Customers who went on, each time they did.
        steps: Steps they took.
        contacts: Contacts handed to the send ledger.
        errors: Why a journey could not go on, by its id; everybody stands where she stood.
    """

    entered: int = 0
    told: int = 0
    customers: int = 0
    steps: int = 0
    contacts: int = 0
    errors: dict[str, str] = field(default_factory=dict)


def advance(state: State, means: Means, *, now: datetime, shelf: Shelf | None = None) -> Advanced:
    """Tell events that wait and walk on whoever is due, as it would have happened in order.

    Events count before time-outs of the same moment and later; time-outs before later events.
    A process that dies anywhere has told and moved whole windows only, and events are forgotten
    last: the next look goes on. A journey that cannot go on for a reason that passes holds up
    itself alone: what it listens to is kept until it has been told.

    Args:
        state: The transactional store.
        means: What the executor works with.
        now: The moment, aware.
        shelf: Versions read before; a new one when left out.

    Returns:
        What was done.
    """
    held, done = shelf or Shelf(), Advanced()
    kept_back: set[int] = set()
    after = BEFORE_ALL
    while events_wait(state, now, after=after):
        tale = tell(
            state,
            held,
            loop=means.settings.loop,
            now=now,
            besides=done.errors,
            kept_back=kept_back,
            after=after,
        )
        done.entered, done.told = done.entered + tale.entered, done.told + tale.told
        if not tale.is_over:
            _walk_all(state, held, means, done, now, tale.until, kept_back)
        elif kept_back:
            # Whoever could not go on just now must not miss what is told: the next look tells it.
            after = tale.last
    _walk_all(state, held, means, done, now, ms_of(now), kept_back)
    return done


def _walk_all(
    state: State,
    shelf: Shelf,
    means: Means,
    done: Advanced,
    now: datetime,
    until: int,
    kept_back: set[int],
) -> None:
    """Walk every journey until nobody is due, window by window in turns.

    Those that could not go on for a reason that passes join `kept_back` and are left alone: they
    were told nothing since.
    """
    running = running_journeys(state)
    left = {number: name for number, name in running.items() if number not in kept_back}
    while left:
        for number, journey_id in list(left.items()):
            try:
                window = walk_due(state, shelf, means, number, now=now, until=until)
            except RegularsError as error:
                done.errors[journey_id] = str(error)
                if isinstance(error, Transient):
                    kept_back.add(number)
                del left[number]
                continue
            except Exception as error:
                # Others must go on whatever is wrong with one: its window was rolled back.
                _LOG.exception("journey %s could not go on", journey_id)
                done.errors[journey_id] = f"{type(error).__name__}: {error}"
                del left[number]
                continue
            done.steps += window.steps
            done.contacts += window.contacts
            done.customers += window.customers
            if not window.customers:
                # A short window is no sign: whoever waits for minutes may be due again.
                del left[number]
