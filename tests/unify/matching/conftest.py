"""Files to resolve, and how well the customer ids found keep to the truth."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.unify.matching.resolving import Wishes
from regulars.unify.matching.service import Asked, Home, resolve_file

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Agreement:
    """Pairs of rows with one customer id, against pairs of rows of one person."""

    precision: float
    recall: float

    @property
    def f1(self):
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def agreement(found, truth):
    """Count pairs in both, in what was found, and in the truth."""

    def pairs(counts):
        return sum(n * (n - 1) // 2 for n in counts.values())

    both = pairs(Counter(zip(found, truth, strict=True)))
    return Agreement(both / max(pairs(Counter(found)), 1), both / max(pairs(Counter(truth)), 1))


@pytest.fixture
def resolve(tmp_path):
    """Give a function that resolves rows and gives the run and its customer ids, in row order."""

    def resolved(rows, *, home=None, name="in", **asked):
        table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
        pq.write_table(table, tmp_path / f"{name}.parquet")
        out = tmp_path / f"{name}.out.parquet"
        run = resolve_file(tmp_path / f"{name}.parquet", out, Asked(**asked), home=home)
        return run, pq.read_table(out).column("customer_id").to_pylist()

    return resolved


@pytest.fixture
def home(tmp_path):
    """A workspace that remembers."""
    folder = tmp_path / "shop"
    folder.mkdir()
    migrate(f"sqlite:///{folder / 'state.db'}")
    state = SQLState(f"sqlite:///{folder / 'state.db'}")
    yield Home(folder, state, NOW)
    state.close()


F1 = Wishes(objective="f1")
