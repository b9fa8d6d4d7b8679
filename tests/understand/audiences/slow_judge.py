"""Rules of audiences read word by word over one customer at a time, in plain Python."""

from datetime import date, timedelta
from itertools import product
from zoneinfo import ZoneInfo


def holds(given, customer, *, at, zone):
    """Tell whether the JSON of a rule holds for one customer.

    A customer is a dict: `fields`, `scores` ("table.column"), `tags`, `words` of consent
    (purpose, channel, status, moment) and `happened` (name, moment).
    """

    def again(part):
        return holds(part, customer, at=at, zone=zone)

    if "all" in given:
        return all(again(part) for part in given["all"])
    if "any" in given:
        return any(again(part) for part in given["any"])
    if "not" in given:
        return not again(given["not"])
    if "field" in given:
        return compares(customer["fields"].get(given["field"]), given)
    if "score" in given:
        return compares(customer["scores"].get(given["score"]), given)
    if "tag" in given:
        return given["tag"] in customer["tags"]
    if "consent" in given:
        return said(customer, given) == given.get("is", "granted")
    seen = [(name, moment) for name, moment in customer["happened"] if moment <= at]
    if "event" in given:
        times = sum(
            name == given["event"] and counts(moment, given, at, zone) for name, moment in seen
        )
        return compares(times, given)
    return follows(given, seen, at, zone)


def compares(value, given):
    sign, wanted = given["is"], given.get("value")
    if sign in {"exists", "missing"}:
        return (value is None) == (sign == "missing")
    if value is None:
        return False
    return {
        "=": lambda: value == wanted,
        "!=": lambda: value != wanted,
        "<": lambda: value < wanted,
        "<=": lambda: value <= wanted,
        ">": lambda: value > wanted,
        ">=": lambda: value >= wanted,
        "in": lambda: value in wanted,
        "between": lambda: wanted[0] <= value <= wanted[1],
    }[sign]()


def counts(moment, given, at, zone):
    day, today = local(moment, zone), local(at, zone)
    if "days" in given:
        return today - timedelta(days=given["days"]) < day <= today
    if "hours" in given:
        return at - timedelta(hours=given["hours"]) < moment
    return date.fromisoformat(given["from"]) <= day <= date.fromisoformat(given["to"])


def follows(given, seen, at, zone):
    first, *later = given["sequence"]
    today = local(at, zone)
    begun = [
        moment
        for name, moment in seen
        if name == first["event"] and local(moment, zone) > today - timedelta(days=given["days"])
    ]
    there = [step for step in later if "event" in step]
    absent = [step for step in later if "without" in step]
    choices = [[m for name, m in seen if name == step["event"]] for step in there]
    for chain in product(begun, *choices):
        spans = zip(chain, chain[1:], there, strict=False)
        if not all(before < after <= before + span(step) for before, after, step in spans):
            continue
        if all(stays_away(chain[-1], step, seen, at) for step in absent):
            return True
    return False


def stays_away(since, step, seen, at):
    until = since + span(step)
    if until > at:
        return False
    return not any(name == step["without"] and since < moment <= until for name, moment in seen)


def span(step):
    return timedelta(days=step.get("within_days", 0), hours=step.get("within_hours", 0))


def said(customer, given):
    ranks = {"granted": 0, "denied": 1, "withdrawn": 2}
    channels = {"*", given.get("channel", "*")}
    words = [
        (moment, ranks[status], status)
        for purpose, channel, status, moment in customer["words"]
        if purpose == given["consent"] and channel in channels
    ]
    return max(words)[2] if words else "none"


def local(moment, zone):
    return moment.astimezone(ZoneInfo(zone)).date()
