"""Outcomes of receipts become facts, each once, whatever dies in between."""

from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from regulars.adapters.delta_lake import DeltaLake
from regulars.reach.receipts.exporting.service import export_outcomes


class DyingLake(DeltaLake):
    """A lake whose process dies right before, or right after, the commit."""

    def __init__(self, folder, *, is_after):
        super().__init__(folder)
        self.is_after = is_after

    def append(self, *args, **options):
        if self.is_after:
            super().append(*args, **options)
        raise RuntimeError("died")


@pytest.fixture
def facts(mailroom):
    """A mailroom with outcomes to export, and its lake."""
    mailroom.sends(("k1", "ann", "email"), ("k2", "bob", "email"))
    mailroom.takes(mailroom.receipt("delivered", "k1"), mailroom.receipt("opened", "k1", 2))
    mailroom.lake_folder = mailroom.shop.folder / "lake"
    return mailroom


def exported(room, lake=None):
    return export_outcomes(room.state, lake or DeltaLake(room.lake_folder), now=room.now)


def rows(room):
    files = DeltaLake(room.lake_folder).files("contact_outcomes")
    found = [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]
    return sorted((row["contact_key"], row["kind"], row["customer_id"]) for row in found)


def test_an_export_forgets_bodies_of_posts_that_are_old(facts):
    facts.takes(facts.receipt("clicked", "k2", 3), raw=b"body")
    facts.now += timedelta(days=31)

    assert exported(facts) == 3
    assert facts.shop.all("SELECT post_id FROM receipt_posts") == []


def test_each_outcome_becomes_a_fact_once(facts):
    assert exported(facts) == 2
    assert exported(facts) == 0
    facts.takes(facts.receipt("delivered", "k1"), facts.receipt("clicked", "k2", 3))

    assert exported(facts) == 1
    assert rows(facts) == [
        ("k1", "delivered", "ann"),
        ("k1", "opened", "ann"),
        ("k2", "clicked", "bob"),
    ]


@pytest.mark.parametrize("is_after", [False, True])
def test_dying_around_the_commit_loses_and_doubles_nothing(facts, is_after):
    with pytest.raises(RuntimeError, match="died"):
        exported(facts, DyingLake(facts.lake_folder, is_after=is_after))
    facts.takes(facts.receipt("opened", "k2", 4))

    exported(facts)

    assert rows(facts) == [
        ("k1", "delivered", "ann"),
        ("k1", "opened", "ann"),
        ("k2", "opened", "bob"),
    ]


def test_receipts_that_waited_are_settled_first(facts):
    facts.takes(facts.receipt("delivered", "", provider_id="p-k3"))
    facts.sends(("k3", "eve", "email"))

    exported(facts)

    assert ("k3", "delivered", "eve") in rows(facts)
