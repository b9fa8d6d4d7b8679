"""Declared column types as Arrow types, and tables cast to them."""

import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import InputError
from regulars.records import Table

ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "money": pa.decimal128(18, 2),
    "quantity": pa.decimal128(18, 3),
}


def arrow_schema(table: Table) -> pa.Schema:
    """Give the Arrow schema of a declared table, columns in declared order."""
    return pa.schema([pa.field(c.name, ARROW_TYPES[c.type]) for c in table.columns])


def cast_to(table: Table, data: pa.Table, **constants: object) -> pa.Table:
    """Put columns in declared order and type.

    Args:
        table: The declared table.
        data: Its rows; may lack the columns given as constants.
        constants: One value per column for every row, such as turn=3.

    Returns:
        The same rows with the declared schema.

    Raises:
        InputError: A column is missing, unknown, empty where values are required, or holds
            values of another type.
    """
    given = set(data.column_names) | set(constants)
    missing = [name for name in table.names if name not in given]
    extra = [name for name in data.column_names if name not in table.names]
    if missing or extra:
        raise InputError(
            f"table {table.name}: missing columns {missing}, undeclared columns {extra}; "
            "write exactly the declared ones"
        )
    arrays = []
    for column in table.columns:
        kind = ARROW_TYPES[column.type]
        if column.name in constants:
            arrays.append(pa.repeat(pa.scalar(constants[column.name], kind), data.num_rows))
            continue
        values = data.column(column.name)
        if pa.types.is_floating(values.type) and pa.types.is_decimal(kind):
            values = pc.round(values, kind.scale)
        try:
            cast = values.cast(kind)
        except pa.ArrowInvalid as error:
            raise InputError(f"table {table.name}, column {column.name}: {error}") from error
        if column.required and cast.null_count:
            raise InputError(
                f"table {table.name}, column {column.name}: {cast.null_count} empty values, "
                "none are allowed"
            )
        arrays.append(cast)
    return pa.Table.from_arrays(arrays, schema=arrow_schema(table))
