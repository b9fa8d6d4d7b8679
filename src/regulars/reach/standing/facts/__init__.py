"""Facts of customers the rules of contact ask about: zone, birthday, language, guardian."""

from regulars.reach.standing.facts.known import ContactFacts, checked_facts

__all__ = ["ContactFacts", "checked_facts"]
