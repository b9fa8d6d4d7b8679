"""Planted bugs: what engines of contact get wrong, each as a gate or a way to claim of its own."""

import time
from dataclasses import fields, replace
from datetime import UTC

from tests.reach.gate.month import record_sends, text

from regulars.errors import Permanent
from regulars.govern.policy.ages import birthday_before
from regulars.govern.policy.asks import Verdict
from regulars.govern.policy.limits import Limit, Window
from regulars.reach.counters import service as counters
from regulars.reach.standing.gate import Gate

# Seconds a busy machine lets pass between two transactions of one thread.
GAP = 0.01


class ConsentAtEnqueue(Gate):
    """What a customer said when she was first planned for is not asked again."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.known = {}

    def picture(self, opened, customers, *, now, is_again=False):
        found = super().picture(opened, customers, now=now, is_again=is_again)
        for customer, words in found.words.items():
            self.known.setdefault(customer, words)
        return replace(found, words={c: self.known.get(c, []) for c in found.words})


class CalendarForRolling(Gate):
    """A window of seven days starts at midnight."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        caps = [
            replace(cap, window=Window.CALENDAR_DAY) if cap.window == Window.ROLLING else cap
            for cap in self.book.caps
        ]
        self.book = replace(self.book, caps=tuple(caps))


class ZoneOfTheShop(Gate):
    """Night is when the shop sleeps."""

    def picture(self, opened, customers, *, now, is_again=False):
        found = super().picture(opened, customers, now=now, is_again=is_again)
        facts = {c: known._replace(zone=None) for c, known in found.facts.items()}
        return replace(found, facts=facts)


class PerCampaign(Limit):
    """Counts the contacts of the same campaign only."""

    def counted(self, contacts, ask, *, start):
        mine = ask.key.partition("/")[0]
        found = super().counted(contacts, ask, start=start)
        return [one for one in found if one.key.partition("/")[0] == mine]


class QuotaPerCampaign(Gate):
    """What a platform allows a customer is allowed to each campaign."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        quotas = [
            PerCampaign(**{part.name: getattr(quota, part.name) for part in fields(quota)})
            for quota in self.book.quotas
        ]
        self.book = replace(self.book, quotas=tuple(quotas))


class AgeByUTC(Gate):
    """A birthday begins when it does in Greenwich."""

    def look(self, opened, asks, *, now, is_claiming=False):
        found = super().look(opened, asks, now=now, is_claiming=is_claiming)
        today = now.astimezone(UTC).date()
        found._adult_from, found._minor_from = (
            birthday_before(today, 18),
            birthday_before(today, 14),
        )
        return found


class NoTopics(Gate):
    """Only leaving everything counts."""

    def picture(self, opened, customers, *, now, is_again=False):
        found = super().picture(opened, customers, now=now, is_again=is_again)
        words = {c: [one for one in said if not one.topic] for c, said in found.words.items()}
        return replace(found, words=words)


class ProfilingLeftOn(Gate):
    """The switch is shown and does nothing."""

    def picture(self, opened, customers, *, now, is_again=False):
        found = super().picture(opened, customers, now=now, is_again=is_again)
        words = {
            c: [one for one in said if one.purpose != "profiling"]
            for c, said in found.words.items()
        }
        return replace(found, words=words)


class OldNoticesHold(Gate):
    """Consent once given holds whatever it was given to."""

    def picture(self, opened, customers, *, now, is_again=False):
        found = super().picture(opened, customers, now=now, is_again=is_again)
        return replace(found, required_notice="")


class FutureForgotten(Gate):
    """Contacts made after the clock was set back are not seen."""

    def picture(self, opened, customers, *, now, is_again=False):
        found = super().picture(opened, customers, now=now, is_again=is_again)
        contacts = {c: [o for o in own if o.at <= text(now)] for c, own in found.contacts.items()}
        return replace(found, contacts=contacts)


class BarsOfThisChannelOnly(Gate):
    """A bar on every channel is one on a channel called *."""

    def picture(self, opened, customers, *, now, is_again=False):
        found = super().picture(opened, customers, now=now, is_again=is_again)
        bars = {c: [one for one in own if one.channel != "*"] for c, own in found.bars.items()}
        return replace(found, bars=bars)


def count_then_insert(month, asks, now):
    """Judge in one transaction, reserve in the next."""
    with month.state.reading() as opened:
        verdicts = month.gate.look(opened, asks, now=now).verdicts(asks)
    allowed = [a for a, v in zip(asks, verdicts, strict=True) if v.decision == "allow"]
    time.sleep(GAP)
    try:
        with month.state.sharing() as opened:
            month.gate.reserve(opened, allowed, now=now)
            record_sends(opened, allowed, now)
    except Permanent:  # stock and grants are guarded once more
        return [Verdict("skip", "out_of_stock")] * len(asks)
    return verdicts


def stock_before_the_transaction(month, asks, now):
    """Read what is left of an offer, then begin."""
    with month.state.reading() as opened:
        stock = counters.stock(opened, [ask.offer_id for ask in asks if ask.offer_id])
    time.sleep(GAP)
    with month.state.sharing() as opened:
        judging = month.gate.look(opened, asks, now=now)
        judging._picture.stock = stock
        verdicts = judging.verdicts(asks)
        allowed = [a for a, v in zip(asks, verdicts, strict=True) if v.decision == "allow"]
        month.gate.reserve(opened, [replace(ask, offer_id="") for ask in allowed], now=now)
        for ask in allowed:
            opened.run(
                "UPDATE offer_stock SET given = given + 1 WHERE offer_id = :o", o=ask.offer_id
            )
        record_sends(opened, allowed, now)
    return verdicts


def first_come_first_served(month, asks, now):
    """The order of keys decides who gets the last room, whatever the priority."""
    return _claim_as(month, asks, now, priority=0)


def holdout_forgotten(month, asks, now):
    """The flag does not travel with the contact."""
    return _claim_as(month, asks, now, holdout="")


def _claim_as(month, asks, now, **changes):
    with month.state.sharing() as opened:
        verdicts = month.gate.judge(opened, [replace(ask, **changes) for ask in asks], now=now)
        allowed = [a for a, v in zip(asks, verdicts, strict=True) if v.decision == "allow"]
        month.gate.reserve(opened, allowed, now=now)
        record_sends(opened, allowed, now)
    return verdicts


# By name: what is planted, and the rule whose breach must be found.
GATES = {
    "consent checked when planned": (ConsentAtEnqueue, "consent"),
    "calendar instead of rolling": (CalendarForRolling, "cap"),
    "zone of the shop": (ZoneOfTheShop, "quiet"),
    "quota per campaign": (QuotaPerCampaign, "quota"),
    "age by UTC": (AgeByUTC, "minor"),
    "topics passed over": (NoTopics, "topic"),
    "profiling left on": (ProfilingLeftOn, "profiling"),
    "old notices hold": (OldNoticesHold, "notice"),
    "clock set back": (FutureForgotten, "cap"),
    "bars of one channel only": (BarsOfThisChannelOnly, "suppression"),
}
CLAIMS = {
    "count then insert": (count_then_insert, "cap"),
    "stock before the transaction": (stock_before_the_transaction, "stock"),
    "first come first served": (first_come_first_served, "priority"),
    "holdout forgotten": (holdout_forgotten, "holdout"),
}
