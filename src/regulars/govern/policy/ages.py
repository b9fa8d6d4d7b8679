"""How old a customer is: adult, minor or child, on the day it is where the retailer is."""

from datetime import date
from typing import Literal

Age = Literal["adult", "minor", "child"]

AGES: tuple[Age, ...] = ("adult", "minor", "child")


def birthday_before(today: date, years: int) -> str:
    """Name the latest day of birth of whoever is so many years old today.

    Who was born on 29 February has the birthday on 1 March in years without one: the day
    before, the years are not full yet.

    Args:
        today: The day it is.
        years: Full years, 0 or more.

    Returns:
        ISO text that sorts as days of birth do; in a leap year it may name a 29 February there
        was not, which sorts where it should.

    Source:
        Ours, because a year is full on the birthday and a rule that protects ends no day early.

    Example:
        >>> birthday_before(date(2026, 2, 28), 18)
        '2008-02-28'
    """
    return f"{today.year - years:04d}-{today.month:02d}-{today.day:02d}"


def age_on(born_on: str | None, *, adult_from: str, minor_from: str, unknown: Age) -> Age:
    """Tell which rules of age hold for a customer.

    Args:
        born_on: Day of birth, ISO; None when not known.
        adult_from: What `birthday_before` says of the age of adults.
        minor_from: What `birthday_before` says of the age at which a child becomes a minor.
        unknown: What to take a customer for whose age is not known.

    Returns:
        "adult", "minor" or "child".

    Source:
        Ours, because PIPL Art. 31 protects those under 14 and the Regulation on the Protection
        of Minors in Cyberspace those under 18.

    Example:
        >>> days = {"adult_from": "2008-02-28", "minor_from": "2012-02-28"}
        >>> age_on("2008-02-29", **days, unknown="adult")
        'minor'
    """
    if born_on is None:
        return unknown
    if born_on <= adult_from:
        return "adult"
    return "minor" if born_on <= minor_from else "child"
