"""Columns of a table as one Parquet file, a piece at a time."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def export_rows(files: Sequence[str], schema: pa.Schema, columns: Sequence[str], out: Path) -> int:
    """Write some columns of a table to one file.

    Args:
        files: Parquet files of the table.
        schema: Its schema.
        columns: Columns to write, in this order.
        out: The file; replaced when it is there, and there only once it is whole.

    Returns:
        Rows written.
    """
    wanted = pa.schema([schema.field(name) for name in columns])
    draft = out.with_name(f"{out.name}.draft")
    rows = 0
    with pq.ParquetWriter(draft, wanted, compression="zstd") as writer:
        for path in files:
            for batch in pq.ParquetFile(path).iter_batches(columns=list(columns)):
                table = pa.Table.from_batches([batch]).select(list(columns)).cast(wanted)
                writer.write_table(table)
                rows += batch.num_rows
    draft.replace(out)
    return rows
