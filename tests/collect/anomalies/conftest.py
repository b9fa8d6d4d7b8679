"""Real user agents, where they are at hand."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "traffic_user_agents"


@pytest.fixture
def real_agents():
    """Give a function that reads a column of agents."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data/traffic_user_agents is not here")
    return lambda name, column: (
        pq.read_table(SHARED / name).column(column).cast(pa.string()).combine_chunks()
    )
