"""Journeys walked one customer at a time, slowly, from the words of the definition alone.

It shares the reader of definitions and the salted hash with the executor, and nothing else.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from regulars.numerics.hashing import keys_of, uniforms

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600_000
DAY = 24 * HOUR


def ms(moment):
    return round((moment - EPOCH).total_seconds() * 1000)


def draw(customer, *purpose):
    return float(uniforms(keys_of([customer]), *purpose)[0])


@dataclass
class Stay:
    """One customer inside, once."""

    customer: str
    occurrence: str
    times: int
    assignment: str
    journey: object
    node: str
    entered: int
    wake: int | None
    left: int | None = None
    arrived: int | None = None
    waits: bool = False
    signal: str = ""
    kept: dict = field(default_factory=dict)
    decided: tuple | None = None
    steps: list = field(default_factory=list)
    contacts: list = field(default_factory=list)
    acts: list = field(default_factory=list)


class Plain:
    """One journey over all its versions, and everybody in it."""

    def __init__(self, *, zone, zones, tagged, seed, global_holdout):
        self.zone, self.zones, self.tagged = zone, zones, tagged
        self.seed, self.global_holdout = seed, global_holdout
        self.journey, self.stays, self.is_paused = None, [], False

    # Coming in.

    def enter(self, event):
        for entry in self.journey.entries:
            if entry.event == event.name and fits(entry.where, event.properties):
                return self._enter(event, entry)
        return False

    def _enter(self, event, entry):
        mine = [stay for stay in self.stays if stay.customer == event.customer_id]
        rule, at = self.journey.reentry, ms(event.at)
        occurrence = {"never": "", "always": event.message}.get(rule.kind, str(len(mine) + 1))
        if any(stay.occurrence == occurrence for stay in mine) or (mine and rule.kind == "never"):
            return False
        if mine and rule.kind in {"after_exit", "after_days"}:
            if any(stay.wake is not None for stay in mine):
                return False
            last = max(stay.left for stay in mine)
            if rule.kind == "after_days":
                days = max(stay.entered for stay in mine) + rule.days * DAY - 1
                last = max(last - 1, days)
            if at <= last:
                return False
        assignment = self._assigned(event.customer_id)
        if assignment != "contact" and mine:
            return False
        is_in = assignment == "contact"
        stay = Stay(
            event.customer_id, occurrence, len(mine) + 1, assignment, self.journey, entry.start, at,
            at if is_in else None, None if is_in else at,
        )  # fmt: skip
        stay.signal = "arrives" if is_in else ""
        stay.kept = {k: event.properties[k] for k in self.journey.keeps if k in event.properties}
        self.stays.append(stay)
        return True

    def _assigned(self, customer):
        if not self.journey.is_marketing:
            return "contact"
        if draw(customer, self.seed, "holdout", "global") < self.global_holdout:
            return "global"
        name = f"journey/{self.journey.id}"
        held = draw(customer, self.seed, "holdout", name) < self.journey.holdout
        return "holdout" if held else "contact"

    # What happens to those inside.

    def look(self, events, now):
        """Everything up to now, for each customer in order."""
        by_customer = {}
        for event in sorted(events, key=lambda one: ms(one.at)):
            by_customer.setdefault(event.customer_id, []).append(event)
        for customer in sorted({*by_customer, *(stay.customer for stay in self.stays)}):
            self._look(customer, by_customer.get(customer, []), ms(now))

    def _look(self, customer, events, now):
        moves = True
        while moves:
            moves = self._tell(customer, events, is_late=False)
            for event in events:
                self.enter(event)
            if not self.is_paused:
                for stay in self.stays:
                    while stay.customer == customer and stay.wake is not None and stay.wake <= now:
                        self._go_on(stay, now)
                        self._call(stay, events, is_late=False)
                        moves = True
        self._tell(customer, events, is_late=True)

    def _tell(self, customer, events, *, is_late):
        mine = [stay for stay in self.stays if stay.customer == customer]
        return any([self._call(stay, events, is_late=is_late) for stay in mine])

    def _call(self, stay, events, *, is_late):
        """Tell one of the first event that counts where she stands."""
        for event in events:
            if stay.wake is not None and self._counts(stay, event, is_late):
                stay.wake = ms(event.at)
                stay.kept |= {
                    k: event.properties[k] for k in stay.journey.keeps if k in event.properties
                }
                return True
        return False

    @staticmethod
    def _counts(stay, event, is_late):
        at = ms(event.at)
        if (
            at <= stay.entered
            or (at > stay.wake and not is_late)
            or stay.signal not in {"", "arrives"}
        ):
            return False
        for one in stay.journey.exits:
            if one.event == event.name and fits(one.where, event.properties):
                stay.signal = "goal" if one.is_goal else "out"
                return True
        does = stay.journey.nodes[stay.node].does
        is_awaited = stay.waits and does.event == event.name and at > stay.arrived
        if is_awaited and fits(does.where, event.properties):
            stay.signal = "event"
            return True
        return False

    def _go_on(self, stay, now):
        """From one place where she is held to the next."""
        moment = stay.wake if now - stay.wake <= HOUR else now
        signal, node = stay.signal, stay.journey.nodes[stay.node]
        waited, stay.signal, stay.waits = stay.waits, "", False
        if signal in {"goal", "out"}:
            return self._leave(stay, {"goal": -3, "out": -2}[signal], moment)
        edge = None
        if signal == "event":
            edge = 0
        elif signal != "arrives" and node.kind == "wait_for_event":
            assert waited
            edge = 1
        elif signal != "arrives" and node.kind == "wait":
            edge = 0
        while True:
            if edge is None:
                edge = self._arrive(stay, node, moment)
            if edge == "held":
                return None
            if edge == "exit":
                return self._leave(stay, -4, moment)
            stay.steps.append((stay.node, edge, moment))
            stay.node = node.edges[edge].target
            node, edge = stay.journey.nodes[stay.node], None

    @staticmethod
    def _leave(stay, edge, moment):
        stay.steps.append((stay.node, edge, moment))
        stay.wake, stay.left = None, moment

    def _arrive(self, stay, node, moment):
        """Do what the node says; gives the edge taken, "held" or "exit"."""
        if node.kind in {"wait", "wait_for_event", "window"}:
            return self._hold(stay, node, moment)
        if node.kind in {"branch", "split"}:
            return self._choose(stay, node.kind, node.does)
        if node.kind == "message":
            stay.contacts.append((stay.node, len(stay.steps)))
            return 0
        if node.kind in {"tag", "points", "coupon", "webhook"}:
            stay.acts.append((stay.node, len(stay.steps), node.kind))
            gone = node.kind == "coupon" and stay.customer.endswith("3")
            return len(node.edges) - 1 if gone else 0
        return "exit" if node.kind == "exit" else 0

    def _hold(self, stay, node, moment):
        does = node.does
        if node.kind == "window":
            if self._is_open(stay, moment, does):
                return 0
            stay.wake = self._next(stay, moment, does.from_minute, does.weekdays)
            return "held"
        stay.wake = moment + does.seconds * 1000
        if node.kind == "wait_for_event":
            stay.arrived, stay.waits = moment, True
        elif does.until_minute is not None:
            stay.wake = self._next(stay, stay.wake, does.until_minute, does.weekdays)
        return "held"

    def _choose(self, stay, kind, does):
        if kind == "branch":
            for number, when in enumerate(does.cases):
                tags = all(stay.customer in self.tagged[one.name] for one in when.audiences)
                if tags and fits(when.event, stay.kept):
                    return number
            return len(does.cases)
        number = draw(stay.customer, self.seed, "variant", does.experiment)
        return sum(number >= bound for bound in list(accumulate(does.shares))[:-1])

    def _local(self, stay, moment):
        zone = ZoneInfo(self.zones.get(stay.customer, self.zone))
        return (EPOCH + timedelta(milliseconds=moment)).astimezone(zone)

    def _next(self, stay, after, minute, weekdays):
        """Minute by minute would be plainer still; a quarter of an hour is what tests write."""
        one = self._local(stay, after).replace(second=0, microsecond=0)
        one = (one.astimezone(UTC)).replace(minute=one.astimezone(UTC).minute // 15 * 15)
        while True:
            one += timedelta(minutes=15)
            local = one.astimezone(ZoneInfo(self.zones.get(stay.customer, self.zone)))
            if local.hour * 60 + local.minute == minute and (
                not weekdays or local.weekday() in weekdays
            ):
                return ms(one)

    def _is_open(self, stay, moment, does):
        local = self._local(stay, moment)
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if does.from_minute < does.to_minute:
            fits_day = not does.weekdays or day in does.weekdays
            return fits_day and does.from_minute <= minute < does.to_minute
        if minute < does.to_minute:
            return not does.weekdays or (day - 1) % 7 in does.weekdays
        return minute >= does.from_minute and (not does.weekdays or day in does.weekdays)

    # Another version.

    def publish(self, journey, moves, now):
        """Refuse by giving the nodes nobody said anything about, or carry the map out."""
        old = self.journey
        inside = [stay for stay in self.stays if stay.journey is old and stay.wake is not None]
        lost = {s.node for s in inside if s.node not in journey.nodes and s.node not in moves}
        if lost:
            return lost
        for stay in inside:
            self._move(stay, journey, moves.get(stay.node, stay.node), ms(now))
        self.journey = journey
        return set()

    @staticmethod
    def _move(stay, journey, target, now):
        if target == "stay":
            return
        if target == "exit":
            stay.steps.append((stay.node, -2, now))
            stay.wake, stay.left = None, now
            return
        old, new = stay.journey.nodes[stay.node], journey.nodes[target]
        stay.journey = journey
        if target != stay.node or old.kind != new.kind:
            stay.steps.append((stay.node, -1, now))
            stay.node, stay.wake, stay.signal, stay.waits = target, now, "arrives", False
        elif old.kind in {"wait", "wait_for_event"} and not stay.signal:
            stay.wake += (new.does.seconds - old.does.seconds) * 1000


def fits(conditions, properties):
    for one in conditions:
        value = properties.get(one.name)
        if one.sign == "exists" and value is None:
            return False
        if one.sign == "=" and value != one.value:
            return False
        if one.sign == ">=" and (value is None or value < one.value):
            return False
    return True
