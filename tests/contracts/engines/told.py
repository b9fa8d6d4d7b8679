"""Cases as JSON and back: a rule, a world of customers, a moment, a zone."""

from datetime import datetime


def plain(rule, world, *, at, zone):
    """Give a case as JSON can say it."""
    people = {
        who: {**one, "tags": sorted(one["tags"]), "happened": happened(one, datetime.isoformat)}
        for who, one in world.items()
    }
    return {"rule": rule, "world": people, "at": at.isoformat(), "zone": zone}


def told(case):
    """Give what a case says, but for its rule, as `worlds.found` takes it."""
    people = {
        who: {
            **one,
            "tags": set(one["tags"]),
            "happened": happened(one, datetime.fromisoformat),
        }
        for who, one in case["world"].items()
    }
    return {"world": people, "at": datetime.fromisoformat(case["at"]), "zone": case["zone"]}


def happened(one, read):
    return [(name, read(moment)) for name, moment in one["happened"]]
