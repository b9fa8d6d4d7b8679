"""Migrations are one chain: no two of one number, none beside the others."""

import re
from itertools import pairwise
from pathlib import Path

import regulars

VERSIONS = Path(regulars.__file__).parent / "adapters" / "state" / "migrations" / "versions"


def links(texts):
    """Revision and the one before it, in the order of names."""
    found = []
    for text in texts:
        revision = re.search(r'^revision = "(\d+)"', text, re.M)[1]
        before = re.search(r'^down_revision = (?:"(\d+)"|None)', text, re.M)[1]
        found.append((revision, before))
    return found


def breaks(chain):
    return [(before, after) for before, after in pairwise(sorted(chain)) if after[1] != before[0]]


def test_each_migration_follows_the_one_before_it():
    paths = sorted(VERSIONS.rglob("v[0-9]*.py"), key=lambda path: path.name)
    chain = links(path.read_text("utf-8") for path in paths)

    assert breaks(chain) == []
    assert [path.name[1:5] for path in paths] == [revision for revision, _before in chain]


def test_two_of_one_number_would_be_seen():
    twice = ['revision = "0002"\ndown_revision = "0001"\n'] * 2

    assert breaks(links(['revision = "0001"\ndown_revision = None\n', *twice])) != []
