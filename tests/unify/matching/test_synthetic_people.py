"""Simulated people with known truth: the threshold follows the size of the table."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.unify.matching.conftest import agreement

from regulars.testing.people import make_records
from regulars.unify.matching.service import Asked, resolve_file


def taken_apart(records):
    return records.drop_columns("person"), records.column("person").to_pylist()


@pytest.mark.parametrize("size", [2_000, 20_000])
def test_links_are_right_and_few_are_missed_at_every_size(resolve, size):
    rows, truth = taken_apart(make_records(size, seed=11))

    run, found = resolve(rows)

    seen = agreement(found, truth)
    assert seen.precision >= 0.998
    assert seen.recall >= 0.93
    assert run.learned.threshold.expected_precision >= 0.999


def test_the_same_rows_in_another_order_give_the_same_ids(resolve):
    rows = make_records(3_000, seed=5).drop_columns("person")
    turned = rows.take(list(range(len(rows)))[::-1])

    _, found = resolve(rows)
    _, again = resolve(turned, name="turned", workers=1)

    assert again[::-1] == found


def test_generated_people_have_duplicates_households_and_gaps():
    records = make_records(5_000, seed=1)

    people = pc.count_distinct(records.column("person")).as_py()
    assert 2_900 < people < 3_500
    assert 0.06 < records.column("phone").null_count / len(records) < 0.10
    homes = pc.count_distinct(records.column("address").drop_null()).as_py()
    assert homes < 0.75 * people
    assert make_records(5_000, seed=1).equals(records)


def prove():
    """Resolve tables of four sizes, and say how right the links were and how few were missed."""
    told = []
    for size in (2_000, 20_000, 200_000, 500_000):
        rows, truth = taken_apart(make_records(size, seed=17))
        with TemporaryDirectory() as place:
            file, out = Path(place, "in.parquet"), Path(place, "out.parquet")
            pq.write_table(rows, file)
            resolve_file(file, out, Asked())
            found = pq.read_table(out).column("customer_id").to_pylist()
        seen = agreement(found, truth)
        assert seen.precision >= 0.999, f"{size:,} records: precision {seen.precision:.5f}"
        assert seen.recall >= 0.93, f"{size:,} records: recall {seen.recall:.4f}"
        told.append(f"{size:,}: {seen.precision:.5f} and {seen.recall:.4f}")
    return f"precision and recall at records {'; '.join(told)}"
