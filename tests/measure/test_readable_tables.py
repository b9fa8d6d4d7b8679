"""Tables an experiment cannot be read from: who is there twice, and who has no id."""

import ibis
import pytest

from regulars.errors import InputError
from regulars.measure.experiments import Metric
from regulars.measure.experiments.gates.readable import require_readable

SPENT = [Metric("spent", "spent")]


def table(*ids):
    schema = {"customer_id": "string", "variant": "string", "spent": "float64"}
    rows = [{"customer_id": one, "variant": "a", "spent": 1.0} for one in ids]
    return ibis.memtable(rows, schema=schema)


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        (("c1", None, "c2", None), "^2 of 4 rows have no customer_id; leave them out"),
        ((None,), "^1 of 1 rows have no customer_id"),
        (("c1", "c1", None), "^1 of 3 rows have no customer_id"),
        (("c1", "c2", "c1"), "^3 rows are of 2 customers; sum them up"),
    ],
)
def test_missing_ids_are_not_called_customers_who_are_there_twice(ids, says):
    with pytest.raises(InputError, match=says):
        require_readable(table(*ids), SPENT)


def test_each_customer_once_is_read_with_and_without_ids():
    whole = table("c1", "c2")

    assert require_readable(whole, SPENT) is None
    assert require_readable(whole.drop("customer_id"), SPENT) is None
