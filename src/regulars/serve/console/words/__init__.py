"""What codes are called on a page; a code nobody named is shown as it is."""

from regulars.serve.console.words.answers import REFUSALS
from regulars.serve.console.words.customers import (
    CONTACT_DATA,
    FINER,
    HAPPENINGS,
    INDICATORS,
    PURPOSES,
    SEGMENTS,
    TAG_VALUES,
    TAGS,
    TIERS,
)
from regulars.serve.console.words.data import FAULTS, TABLES
from regulars.serve.console.words.loop import (
    CHANNELS,
    EFFECT_STATES,
    FATES,
    METRICS,
    REASONS,
    ROLES,
    TURN_STATES,
    VERDICTS,
)
from regulars.serve.console.words.naming import N_, word

__all__ = [
    "CHANNELS",
    "CONTACT_DATA",
    "EFFECT_STATES",
    "FATES",
    "FAULTS",
    "FINER",
    "HAPPENINGS",
    "INDICATORS",
    "METRICS",
    "N_",
    "PURPOSES",
    "REASONS",
    "REFUSALS",
    "ROLES",
    "SEGMENTS",
    "TABLES",
    "TAGS",
    "TAG_VALUES",
    "TIERS",
    "TURN_STATES",
    "VERDICTS",
    "word",
]
