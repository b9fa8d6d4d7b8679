"""The reference page of facts and mappings, written from what the importer really checks."""

from regulars.collect.sources.mapping import FED
from regulars.collect.sources.rules import LIMITS, MEANINGS, REFERENCES, WORDS, Limit
from regulars.records import Column, Table

_FILE_KEYS = {
    "match": 'pattern of file names: "orders*.csv"; the first [[file]] that fits is used',
    "table": "the fact table fed, when the file has the table's own column names",
    "delimiter": 'what stands between fields of a CSV file; "," unless said (tab for .tsv)',
    "encoding": "utf-8 unless said; or gb18030, gbk, latin-1, cp1252",
    "[file.TABLE]": "a table fed, column by column; a file may feed several",
}
_TABLE_KEYS = {
    'fact_column = "file column"': "read the fact column from this file column; one left out is "
    "read from the file column of its own name, if there is one, else left empty",
    "one_per_key = true": "many rows of the file make one row of the table (lines make an order)",
    "keep_stored = true": "a key that is stored stays as it is, whatever the file says; for files "
    "that only mention a customer or a store",
    'accept_unknown = ["column"]': "ids of this column need not be known",
    'accept_zero = ["column"]': "0 is accepted where the value should be above 0",
}
_TRANSFORMS = {
    'column = "x"': "the file column read",
    'add = ["x", "y"]': "the sum of file columns; an empty cell counts as 0",
    'constant = "x"': "the same value in every row",
    'values = { Private = true, "1" = "male" }': "replace each value; one not listed is refused",
    "negate = true": "turn the sign",
    'zone = "UTC"': "the zone of moments written without one; the workspace's unless said",
    'format = "%d.%m.%Y %H:%M"': "how dates and moments are written; ISO 8601 unless said",
    "week_one = 2026-01-05": "the day week 1 starts on, when the file gives week numbers",
    'fold = "sum"': "with one_per_key: sum, min, max or first of the rows of a key; unless said "
    "the rows must agree",
}


def facts_page() -> str:
    """Write the page.

    Returns:
        Markdown: the keys of a mapping, the reasons of quarantine, every fact table.

    Example:
        >>> "| `duplicate_line` |" in facts_page()
        True
    """
    lines = [
        "# Facts and mappings",
        "",
        "*Written by `make docs` from the code; edit the code, not this page.*",
        "",
        "Step by step: [import your files](../how-to/import-your-files.md).",
    ]
    lines += _keys("Keys of a `[[file]]` section", _FILE_KEYS)
    lines += _keys("Keys of a `[file.TABLE]` section", _TABLE_KEYS)
    lines += _keys("Transforms: `fact_column = { ... }`", _TRANSFORMS)
    lines += _keys("Reasons in quarantine", {f"{r}": text for r, text in MEANINGS.items()})
    lines += ["", "## How values are read", "", *_READING]
    for name in FED:
        lines += _table(FED[name])
    return "\n".join(lines) + "\n"


_READING = [
    "- *money* DECIMAL(18,2) and *quantity* DECIMAL(18,3): exact; more digits, and floats of "
    "Parquet as they print, are rounded half to even.",
    "- *date*: `2026-11-02`; of a moment without a zone its own day, of one with a zone the day "
    "in the workspace's zone. An unmapped `business_date` is the day of `ordered_at`.",
    "- *timestamp*: `2026-11-02 09:30`, with or without `Z` or `+08:00`; kept in UTC.",
    "- *bool*: true/false, yes/no, y/n, t/f, 1/0. Spaces around a value are cut off; nothing "
    "left means empty. NaN is refused, never empty.",
    "- An id is checked when its table holds anything: stored rows, rows of the same import, and "
    "rows in quarantine, so that one bad row does not drag others along.",
]


def _keys(title: str, meanings: dict[str, str]) -> list[str]:
    lines = ["", f"## {title}", "", "| key | meaning |", "|---|---|"]
    return lines + [f"| `{key}` | {means} |" for key, means in meanings.items()]


def _table(table: Table) -> list[str]:
    lines = ["", f"## {table.name}", ""]
    lines += [f"{table.grain.capitalize()}; key: {', '.join(table.key)}.", ""]
    lines += ["| column | type | required | checked | meaning |", "|---|---|---|---|---|"]
    return lines + [
        f"| `{column.name}` | {column.type} | {'yes' if column.required else ''} | "
        f"{_checks(table, column)} | {column.means} |"
        for column in table.columns
    ]


def _checks(table: Table, column: Column) -> str:
    found = []
    limit = LIMITS.get(table.name, {}).get(column.name)
    if limit:
        found.append(_range(limit))
    words = WORDS.get(table.name, {}).get(column.name)
    if words:
        found.append("one of " + ", ".join(sorted(words)))
    points_at = REFERENCES.get(table.name, {}).get(column.name)
    if points_at:
        found.append(f"known in [{points_at}](#{points_at})")
    return "; ".join(found)


def _range(limit: Limit) -> str:
    least = f"{'>' if limit.is_open else '>='} {limit.least}"
    return least if limit.most is None else f"{least} and <= {limit.most}"
