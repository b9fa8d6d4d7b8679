"""What a rule is: when it speaks, what silences it at one place, what it cites."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from regulars.govern.copycheck.findings import Severity


@dataclass(frozen=True, slots=True)
class Law:
    """A law or an official guideline.

    Attributes:
        law_id: Id the rules call it by.
        title: Its name, in Chinese and English.
        effective_from: First day the rules that cite it are in force.
        source: Where the text or the fact comes from.
    """

    law_id: str
    title: Mapping[str, str]
    effective_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Form:
    """A pattern, tried only near a word that triggers it.

    Attributes:
        when: Words one of which must be there.
        pattern: The pattern, searched within the clause of the word.
        reach: How far around the word is searched across clauses; 0 for the clause.
    """

    when: tuple[str, ...]
    pattern: re.Pattern[str]
    reach: int = 0


@dataclass(frozen=True, slots=True)
class Exemption:
    """What makes one place permitted; it must cover the place itself.

    Attributes:
        exemption_id: Its name within the rule.
        pattern: Must match over the whole place.
        basis: What allows it.
        effective_from: First day it may be relied on.
    """

    exemption_id: str
    pattern: re.Pattern[str]
    basis: str
    effective_from: date


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        rule_id: Id: the group of the rule, perhaps with a part behind a dash.
        family: Family it belongs to.
        severity: How its findings are to be taken.
        title: What it is about, in Chinese and English.
        law: The law it cites.
        article: The article.
        effective_from: First day in force.
        effective_to: Last day in force; None for no end.
        terms: Words it speaks on, in normal form.
        forms: Patterns it speaks on.
        is_spelled: Whether pinyin and stand-ins of its terms count.
        exemptions: What makes a place permitted.
        lifted_by: Kinds of evidence that lift it.
        cited_by: Patterns; when all stand next to the place, a person decides instead.
        only_with: Patterns one of which must be in the text; empty for always.
        satisfied_by: Patterns one of which in the text settles it; only for notices and reviews.
        requires: For a rule about what must be there: every group needs one of its patterns.
        when_channels: Channels it is asked on; empty for all.
        only_categories: Categories of product it is for; empty for all.
        except_categories: Categories it is not for.
        markets: Markets it is for; empty for all.
        only_machine_made: Whether it is for texts a machine wrote.
        suggestion: What to do, in Chinese and English.
        source: Where the rule comes from.
        version: Fingerprint of all of the above.
    """

    rule_id: str
    family: str
    severity: Severity
    title: Mapping[str, str]
    law: Law
    article: str
    effective_from: date
    effective_to: date | None = None
    terms: tuple[str, ...] = ()
    forms: tuple[Form, ...] = ()
    is_spelled: bool = False
    exemptions: tuple[Exemption, ...] = ()
    lifted_by: frozenset[str] = frozenset()
    cited_by: tuple[re.Pattern[str], ...] = ()
    only_with: tuple[re.Pattern[str], ...] = ()
    satisfied_by: tuple[re.Pattern[str], ...] = ()
    requires: tuple[tuple[re.Pattern[str], ...], ...] = ()
    when_channels: frozenset[str] = frozenset()
    only_categories: frozenset[str] = frozenset()
    except_categories: frozenset[str] = frozenset()
    markets: frozenset[str] = frozenset()
    only_machine_made: bool = False
    suggestion: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    version: str = ""

    @property
    def group(self) -> str:
        """Its group: the id without what is behind a dash."""
        return self.rule_id.partition("-")[0]

    def in_force(self, as_of: date) -> bool:
        """Whether it is in force on a day."""
        return self.effective_from <= as_of and (
            self.effective_to is None or as_of <= self.effective_to
        )


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules.

    Attributes:
        rules: By family and id.
        laws: By id.
    """

    rules: tuple[Rule, ...]
    laws: Mapping[str, Law]
