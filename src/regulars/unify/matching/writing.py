"""The table again, with a customer id for every row."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from regulars.errors import InputError
from regulars.unify.matching.loading import RAW, ROW, Bench
from regulars.unify.matching.mapping import Roles

CUSTOMER = "customer_id"
_NAMES = "names_of_records"


def check_output(out: Path, columns: list[str], roles: Roles, *, read: Path) -> None:
    """Check that the table can be written, before anything is worked out.

    Args:
        out: Where it is to be written.
        columns: Columns of the table.
        roles: Which column is which.
        read: The file the table was read from.

    Raises:
        InputError: It is the file that was read, the ending is neither CSV nor Parquet, the
            folder is missing, or the table has a column `customer_id` that is not the login id.
    """
    if out.exists() and out.samefile(read):
        raise InputError(f"{out} is the file that is read; write to another one")
    if out.suffix.lower() not in {".csv", ".parquet"}:
        raise InputError(f"{out}: write to a file that ends in .csv or .parquet")
    if not out.parent.is_dir():
        raise InputError(f"{out.parent}: there is no such folder; make it first")
    if CUSTOMER in columns and roles.single.get("login") != CUSTOMER:
        raise InputError(
            f"the table has a column {CUSTOMER} already; map it as login if it is your own id of "
            "a customer, or rename it"
        )


def write_with_ids(bench: Bench, out: Path, names: pa.Table, roles: Roles) -> None:
    """Write the rows of the file in their order, each with its customer id.

    Args:
        bench: Holds `raw`.
        out: A CSV or Parquet file; it appears whole or not at all.
        names: `id` and `customer_id` of every row of the file, and of others maybe.
        roles: Which column is which.
    """
    bench.connection.register(_NAMES, names.rename_columns({"id": "id_of_row"}))
    raw, named = bench.table(RAW), bench.table(_NAMES)
    key = raw[roles.single["id"]] if "id" in roles.single else raw[ROW].cast("string")
    keys = raw.select(ROW, key_=key)
    found = keys.left_join(named, keys.key_ == named.id_of_row).order_by(ROW).select(CUSTOMER)
    customer = bench.arrow(found).column(0).combine_chunks()
    plain = raw.drop(CUSTOMER) if CUSTOMER in raw.columns else raw
    batches = bench.connection.table(RAW).select(*plain.columns).to_arrow_reader()
    draft = out.with_name(f".{out.name}.draft{out.suffix}")
    _write(draft, batches, customer)
    draft.replace(out)


def _write(path: Path, batches: pa.RecordBatchReader, customer: pa.Array) -> None:
    kept = [field for field in batches.schema if field.name != ROW]
    schema = pa.schema([*kept, pa.field(CUSTOMER, pa.string())])
    is_parquet = path.suffix.lower() == ".parquet"
    with pq.ParquetWriter(path, schema) if is_parquet else pcsv.CSVWriter(path, schema) as writer:
        for batch in batches:
            own = customer.take(batch.column(ROW))
            columns = [batch.column(field.name) for field in kept]
            writer.write_batch(pa.record_batch([*columns, own], schema=schema))
