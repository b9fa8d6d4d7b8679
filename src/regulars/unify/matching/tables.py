"""Records: rows of any table, written in one way so that they can be compared."""

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
from ibis.expr.types import StringColumn
from ibis.expr.types import Table as Definition

from regulars.unify.matching.mapping import Roles

MARK = "mark"
ROW = "row_of_file"
"""Column with the number of each row of a file."""

COMPOUND = (
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐", "夏侯",
)  # fmt: skip
JUNK_PHONES = ("13800138000", "12345678901", *(digit * 11 for digit in "0123456789"))
COUNTED = (
    "name", "given_name", "surname", "middle", "birth_date", "phone", "email", "city", "postcode",
    "address", "house",
)  # fmt: skip
"""Columns whose rare values say more than common ones, when two records share them."""

_CHINESE = "[\u4e00-\u9fff]"
_UNIT = "省市区县镇乡路街道弄巷号楼栋幢座单元室"
_PART = f"[^0-9{_UNIT}\\s,，.;/-]+[{_UNIT}]?"


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def strip_accents(text: str) -> str:  # type: ignore[empty-body]
    """DuckDB's: the same letters without accents."""


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def regexp_extract_all(text: str, pattern: str) -> list[str]:  # type: ignore[empty-body]
    """DuckDB's: every match of a pattern."""


def cleaned(raw: Definition, roles: Roles) -> Definition:
    """Write what the columns of a table say in one way.

    Args:
        raw: The table, every column text.
        roles: Which column is which.

    Returns:
        One row per row of the table: `id`, and a column per thing that is known; what cannot
        be read as what it should be is empty.
    """
    taken = {role: raw[column].nullif("") for role, column in roles.single.items()}
    columns: dict[str, Any] = {"id": taken["id"] if "id" in taken else raw[ROW].cast("string")}
    columns[ROW] = raw[ROW]
    if "login" in taken:
        columns["login"] = taken["login"].strip().nullif("")
    for role in ("given_name", "surname", "full_name"):
        if role in taken:
            columns[role] = _letters(taken[role])
    for role, write in _WRITE.items():
        if role in taken:
            columns[role] = write(taken[role])
    columns |= _address(raw, roles)
    for place, column in enumerate(roles.attributes):
        columns[f"attribute_{place}"] = _word(raw[column])
    return raw.select(**columns)


def with_parts(records: Definition) -> Definition:
    """Split full names: surname first in Chinese characters, last otherwise. Join address parts.

    The longest part of an address is taken as its street.

    Args:
        records: As `cleaned` gives them.

    Returns:
        The same with `given_name` and `surname`, where there is any name, `address` and
        `street`.
    """
    if "address_parts" in records.columns:
        parts = records.address_parts
        sized = parts.map(lambda part: part.length().cast("string").lpad(3, "0") + part)
        records = records.mutate(
            address=parts.join("").nullif(""), street=sized.maxs().substr(3).nullif("")
        ).drop("address_parts")
    if "full_name" not in records.columns:
        return _with_both(records)
    whole = records.full_name
    plain = whole.replace(" ", "")
    has_two = plain.left(2).isin(COMPOUND) & (plain.length() > 2)
    is_chinese = whole.re_search(_CHINESE)
    first, last = whole.re_extract(r"^(\S+)", 1), whole.re_extract(r"(\S+)$", 1)
    given = whole.contains(" ").ifelse(first, ibis.null("string"))
    size = has_two.ifelse(2, 1)
    split = {
        "surname": is_chinese.ifelse(plain.substr(0, size), last).nullif(""),
        "given_name": is_chinese.ifelse(plain.substr(size), given).nullif(""),
    }
    missing = {role: split[role] for role in split if role not in records.columns}
    return records.mutate(**missing)


def with_keys(records: Definition) -> Definition:
    """Add the whole name in given and in alphabetical order, and what stands between.

    Args:
        records: As `with_parts` gives them.

    Returns:
        The same with `name`, `name_key` and, where there is a full name, `middle`.
    """
    if "surname" not in records.columns:
        return records
    given, surname = records.given_name, records.surname
    both = given + " " + surname
    turned = surname + " " + given
    found = records.mutate(name=both, name_key=(given < surname).ifelse(both, turned))
    if "full_name" not in records.columns:
        return found
    whole = records.full_name
    rest = (" " + whole + " ").replace(" " + given.fill_null("") + " ", " ")
    rest = rest.replace(" " + surname.fill_null("") + " ", " ").strip().nullif("")
    is_chinese = whole.re_search(_CHINESE)
    return found.mutate(middle=is_chinese.ifelse(ibis.null("string"), rest)).drop("full_name")


def with_mark(records: Definition) -> Definition:
    """Mark every record with a number that changes when it says something else.

    Args:
        records: As `with_keys` gives them.

    Returns:
        The same with `mark`.
    """
    said = [
        records[name].cast("string").fill_null("\x02")
        for name in sorted(records.columns)
        if name not in {"id", ROW}
    ]
    whole = said[0]
    for part in said[1:]:
        whole = whole + "\x01" + part
    return records.mutate(**{MARK: whole.hash()})


def numbered(records: Definition) -> Definition:
    """Number records in the order of their ids.

    Args:
        records: Records with distinct ids.

    Returns:
        The same with `rid`, from 0.
    """
    ranked = records.select("id", ROW)
    ranked = ranked.select(
        of=ranked[ROW], rid=ibis.row_number().over(order_by=ranked.id).cast("int32")
    )
    return records.join(ranked, records[ROW] == ranked.of).drop("of", ROW)


def counted_columns(records: Definition) -> tuple[str, ...]:
    """Name the columns whose rare values say more than common ones."""
    return tuple(
        name for name in records.columns if name in COUNTED or name.startswith("attribute_")
    )


def with_frequencies(
    records: Definition, known: Mapping[str, int], own: Mapping[str, float]
) -> Definition:
    """Add how often a stranger has each value.

    Args:
        records: Records with counts.
        known: By column, records that have any value.
        own: By column, records expected to be of the same customer.

    Returns:
        The same with `tf_<column>`, at least one record's worth.
    """
    shares = {}
    for name in counted_columns(records):
        others = records[f"n_{name}"].cast("float64") - float(own.get(name, 0.0))
        shares[f"tf_{name}"] = ibis.greatest(others, 1.0) / float(max(known[name], 1))
    counts = [f"n_{name}" for name in counted_columns(records)]
    return records.mutate(**shares).drop(*counts)


def _letters(text: StringColumn) -> StringColumn:
    spaced = strip_accents(text.lower()).re_replace("['’.]", "").re_replace(r"[^\pL\pN]+", " ")
    return text.re_search(f"^{_CHINESE}+$").ifelse(text, spaced.strip().nullif(""))


def _word(text: StringColumn) -> StringColumn:
    return text.lower().re_replace(r"\s+", " ").strip().nullif("")


def _with_both(records: Definition) -> Definition:
    there = {"given_name", "surname"} & set(records.columns)
    if len(there) != 1:
        return records
    [absent] = {"given_name", "surname"} - there
    return records.mutate(**{absent: ibis.null("string")})


def _date(text: StringColumn) -> StringColumn:
    """Write a date as eight digits; day before month where the year comes last."""
    ymd = r"(\d{4})\D{0,2}(\d{1,2})\D{0,2}(\d{1,2})"
    dmy = r"^\D*(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})"
    is_dmy = text.re_search(dmy)

    def part(first: int, last: int) -> StringColumn:
        found = is_dmy.ifelse(text.re_extract(dmy, last), text.re_extract(ymd, first))
        return found.lpad(4 if first == 1 else 2, "0")

    other = (is_dmy | text.re_search(ymd)).ifelse(
        part(1, 3) + part(2, 2) + part(3, 1), ibis.null("string")
    )
    plain = text.left(4) + text.substr(5, 2) + text.substr(8, 2)
    return text.re_search(r"^\d{4}-\d{2}-\d{2}").ifelse(plain, other)


def _phone(text: StringColumn) -> StringColumn:
    is_wide = text.re_search("[０-９]")
    plain = is_wide.ifelse(text.translate("０１２３４５６７８９", "0123456789"), text)
    digits = plain.re_replace(r"\D", "")
    digits = digits.re_replace(r"^(?:00)?86(1\d{10})$", r"\1")
    is_junk = digits.isin(JUNK_PHONES) | (digits.length() < 7)
    return text.startswith("tok_").ifelse(text, is_junk.ifelse(ibis.null("string"), digits))


def _email(text: StringColumn) -> StringColumn:
    plain = text.lower().strip()
    is_one = plain.contains("@") | plain.startswith("tok_")
    return is_one.ifelse(plain, ibis.null("string"))


def _code(text: StringColumn) -> StringColumn:
    return text.lower().re_replace(r"[^a-z0-9]", "").nullif("")


def _gender(text: StringColumn) -> StringColumn:
    first = text.strip().lower().left(1)
    return first.isin(["m", "男"]).ifelse(
        "m", first.isin(["f", "女", "w"]).ifelse("f", ibis.null("string"))
    )


def _between(text: StringColumn) -> StringColumn:
    """Take the marks off both ends."""
    return text.re_replace("^-|-$", "")


def _address(raw: Definition, roles: Roles) -> dict[str, Any]:
    lines: Sequence[StringColumn] = [raw[column].fill_null("") for column in roles.address]
    number = roles.single.get("house_number")
    columns: dict[str, Any] = {}
    if lines:
        whole = lines[0]
        for line in lines[1:]:
            whole = whole + " " + line
        parts = regexp_extract_all(whole.lower(), _PART).sort()
        columns["address"] = parts.join("").nullif("")
        columns["address_parts"] = (parts.length() > 0).ifelse(parts, ibis.null("array<string>"))
        runs = regexp_extract_all(whole, r"\d+").join("-")
        columns["house"] = runs.nullif("")
    if number is not None:
        columns["house"] = raw[number].lower().strip().nullif("")
    return columns


_WRITE = {
    "birth_date": _date,
    "phone": _phone,
    "email": _email,
    "city": _word,
    "postcode": _code,
    "national_id": _code,
    "gender": _gender,
}
