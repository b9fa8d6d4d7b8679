"""How two records are compared: levels of agreement per field, from alike to different."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

_GIVEN = "given_name_l = given_name_r"
_SURNAME = "surname_l = surname_r"
Like = Callable[[str, str], str]


class Shared(StrEnum):
    """Who shares a field's value, other than records of one customer.

    People who live together share an address and often a phone; their birth dates agree no
    more than those of strangers. Names are in between: a household may share the surname.
    """

    HOUSEHOLD = "household"
    SURNAME = "surname"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Level:
    """One level of agreement.

    Attributes:
        name: What the two values have in common, in a few words.
        sql: Condition on `<column>_l` and `<column>_r`; "ELSE" for the last level.
        frequency_of: Column whose rare values make this level weigh more; "" for none.
        context: Levels of one context share out their probability among themselves: how often
            addresses agree is told apart for records of the same place and of others.
        has_surname: True when the surnames agree.
        is_partial: True when the level asks for more than equality of `frequency_of`.
    """

    name: str
    sql: str
    frequency_of: str = ""
    context: int = 0
    has_surname: bool = False
    is_partial: bool = False


@dataclass(frozen=True)
class Comparison:
    """How one field is compared.

    Attributes:
        field: Name of the field.
        missing: Condition under which nothing can be compared.
        levels: From most alike to different.
        shared: Who else shares its values.
    """

    field: str
    missing: str
    levels: tuple[Level, ...]
    shared: Shared = Shared.NOBODY


def comparisons_for(columns: Iterable[str], *, in_characters: bool) -> tuple[Comparison, ...]:
    """Choose the comparisons for the columns there are.

    Args:
        columns: Columns of the records that hold anything.
        in_characters: True when most names are written in Chinese characters, where one
            character changed is what a typing error is in letters.

    Returns:
        One comparison per field.
    """
    there = set(columns)
    found = []
    if "surname" in there:
        found.append(_name(_like_in_characters if in_characters else _like))
    if "middle" in there:
        found.append(_middle())
    for column, write in (("birth_date", _birth_date), ("phone", _phone), ("email", _email),
                          ("national_id", _national_id)):  # fmt: skip
        if column in there:
            found.append(write())
    if there & {"city", "postcode"}:
        found.append(_area("city" in there, "postcode" in there))
    if "address" in there:
        found.append(_address(there))
    if "house" in there:
        found.append(_house())
    if "gender" in there:
        found.append(_equal("gender", frequency=False))
    found += [_equal(name) for name in sorted(there) if name.startswith("attribute_")]
    return tuple(found)


def _absent(*columns: str) -> str:
    left = " or ".join(f"{column}_l is null" for column in columns)
    right = " or ".join(f"{column}_r is null" for column in columns)
    return f"{left} or {right}"


def _alike(left: str, right: str, least: float) -> str:
    return f"jaro_winkler_similarity({left}, {right}) >= {least}"


def _like(left: str, right: str) -> str:
    """Alike in letters: a typing error, an initial, a short form."""
    return (
        f"({_alike(left, right, 0.88)}"
        f" or (length({left}) = 1 and starts_with({right}, {left}))"
        f" or (length({right}) = 1 and starts_with({left}, {right}))"
        f" or (length({left}) >= 3 and starts_with({right}, {left}))"
        f" or (length({right}) >= 3 and starts_with({left}, {right})))"
    )


def _like_in_characters(left: str, right: str) -> str:
    """Alike in characters: the first or the last one is the same."""
    return (
        f"(left({left}, 1) = left({right}, 1) or right({left}, 1) = right({right}, 1)"
        f" or {_alike(left, right, 0.92)})"
    )


def _name(like: Like) -> Comparison:
    like_given, like_surname = (
        like("given_name_l", "given_name_r"), like("surname_l", "surname_r")
    )  # fmt: skip
    no_given = "(given_name_l is null or given_name_r is null)"
    no_surname = "(surname_l is null or surname_r is null)"
    crossed = " and ".join(
        _alike(f"{one}_l", f"{other}_r", 0.88)
        for one, other in (("given_name", "surname"), ("surname", "given_name"))
    )
    one_crossed = (
        "(surname_l is null and given_name_l = surname_r) or "
        "(surname_r is null and given_name_r = surname_l)"
    )
    initials = "left(given_name_l, 1) = left(given_name_r, 1)"
    levels = (
        Level("same name", "name_l = name_r", "name", has_surname=True),
        Level("same name, given name and surname swapped", "name_key_l = name_key_r"),
        _same("surname", "given name alike", like_given),
        _same("given name", "surname alike", like_surname),
        Level("given name and surname alike", f"{like_given} and {like_surname}"),
        Level("alike when swapped", crossed),
        _same("surname", "no given name", no_given),
        _same("given name", "no surname", no_surname),
        Level("one name only, it agrees", one_crossed),
        _same("surname", "same initial", initials),
        Level("same surname", _SURNAME, "surname", has_surname=True),
        Level("same given name", _GIVEN, "given_name"),
        Level("given name or surname alike", f"{like_given} or {like_surname}"),
        Level("one name in the other's place",
              "given_name_l = surname_r or surname_l = given_name_r"),
        Level("different", "ELSE"),
    )  # fmt: skip
    missing = (
        "(given_name_l is null and surname_l is null) or "
        "(given_name_r is null and surname_r is null)"
    )
    return Comparison("name", missing, levels, Shared.SURNAME)


def _same(part: str, more: str, sql: str) -> Level:
    """One part of the name agrees, and more: only that part's frequency is its own."""
    is_surname = part == "surname"
    equal, column = (_SURNAME, "surname") if is_surname else (_GIVEN, "given_name")
    return Level(
        f"same {part}, {more}", f"{equal} and {sql}", column,
        has_surname=is_surname, is_partial=True,
    )  # fmt: skip


def _middle() -> Comparison:
    like = f"{_like('middle_l', 'middle_r')} or left(middle_l, 1) = left(middle_r, 1)"
    return Comparison(
        "middle", _absent("middle"),
        (Level("same", "middle_l = middle_r", "middle"), Level("alike", like),
         Level("different", "ELSE")),
    )  # fmt: skip


def _birth_date() -> Comparison:
    year = "left(birth_date_l, 4) = left(birth_date_r, 4)"
    turned = (
        f"{year} and substr(birth_date_l, 5, 2) = substr(birth_date_r, 7, 2)"
        " and substr(birth_date_l, 7, 2) = substr(birth_date_r, 5, 2)"
    )
    near = "jaro_similarity(birth_date_l, birth_date_r)"
    levels = (
        Level("same", "birth_date_l = birth_date_r", "birth_date"),
        Level("day and month swapped", turned),
        Level("one digit off, same year", f"{year} and {near} >= 0.91"),
        Level("one digit off", f"{near} >= 0.91"),
        Level("same year", year),
        Level("same day, other year", "right(birth_date_l, 4) = right(birth_date_r, 4)"),
        Level("two digits off", f"{near} >= 0.83"),
        Level("different", "ELSE"),
    )
    return Comparison("birth_date", _absent("birth_date"), levels)


def _phone() -> Comparison:
    near = "length(phone_l) = length(phone_r) and jaro_similarity(phone_l, phone_r) >= 0.93"
    levels = (
        Level("same", "phone_l = phone_r", "phone"),
        Level("one digit off", near),
        Level("different", "ELSE"),
    )
    return Comparison("phone", _absent("phone"), levels, Shared.HOUSEHOLD)


def _email() -> Comparison:
    local = "split_part(email_l, '@', 1) = split_part(email_r, '@', 1)"
    levels = (
        Level("same", "email_l = email_r", "email"),
        Level("same before the @", local),
        Level("alike", _alike("email_l", "email_r", 0.92)),
        Level("different", "ELSE"),
    )
    return Comparison("email", _absent("email"), levels, Shared.HOUSEHOLD)


def _national_id() -> Comparison:
    near = "jaro_similarity(national_id_l, national_id_r)"
    levels = (
        Level("same", "national_id_l = national_id_r"),
        Level("one digit off", f"{near} >= 0.9"),
        Level("two digits off", f"{near} >= 0.8"),
        Level("different", "ELSE"),
    )
    return Comparison("national_id", _absent("national_id"), levels)


def _area(has_city: bool, has_postcode: bool) -> Comparison:
    """City and postcode as one field, because each says much of the other."""
    city = ("city_l = city_r", _alike("city_l", "city_r", 0.9))
    near = (
        "length(postcode_l) = length(postcode_r)"
        " and jaro_similarity(postcode_l, postcode_r) >= 0.83"
    )
    head = (
        "left(postcode_l, greatest(length(postcode_l) - 3, 2)) = "
        "left(postcode_r, greatest(length(postcode_r) - 3, 2))"
    )
    code = (("same postcode", "postcode_l = postcode_r", "postcode"),
            ("postcode one digit off", near, ""), ("same postcode district", head, ""))  # fmt: skip
    no_code = "(postcode_l is null or postcode_r is null)"
    no_city = "(city_l is null or city_r is null)"
    levels: list[Level] = []
    if has_city and has_postcode:
        for name, sql, frequency in code:
            levels += [
                Level(f"{name}, same city", f"{sql} and {city[0]}", frequency),
                Level(f"{name}, city unknown", f"{sql} and {no_city}", frequency),
                Level(name, sql, frequency),
            ]
        levels += [
            Level("same city, postcode unknown", f"{city[0]} and {no_code}", "city"),
            Level("same city", city[0], "city"),
            Level("city alike", city[1]),
            Level("city differs, postcode unknown", no_code),
            Level("postcode differs, city unknown", no_city),
        ]
    elif has_postcode:
        levels += [Level(*part) for part in code]
    else:
        levels += [Level("same city", city[0], "city"), Level("city alike", city[1])]
    names = [name for name, there in (("city", has_city), ("postcode", has_postcode)) if there]
    missing = " and ".join(f"({_absent(name)})" for name in names)
    return Comparison(
        "area", missing, (*levels, Level("different", "ELSE")), Shared.HOUSEHOLD
    )  # fmt: skip


def _address(there: set[str]) -> Comparison:
    """Street and number; how often they agree is learned apart for one place and for others."""
    same_place = " or ".join(
        f"coalesce({name}_l = {name}_r, false)" for name in ("city", "postcode") if name in there
    )
    near = (
        ("same", "address_l = address_r", "address"),
        ("alike", _alike("address_l", "address_r", 0.9), ""),
        ("same street", "street_l = street_r", ""),
    )
    levels = [Level(name, sql, frequency) for name, sql, frequency in near]
    if same_place:
        inside = [
            Level(f"{name}, same place", f"({same_place}) and {sql}") for name, sql, _ in near
        ]
        other = [Level(name, sql, frequency, 1) for name, sql, frequency in near]
        levels = [*inside, Level("different, same place", same_place), *other]
    return Comparison(
        "address", _absent("address"),
        (*levels, Level("different", "ELSE", context=1 if same_place else 0)), Shared.HOUSEHOLD,
    )  # fmt: skip


def _house() -> Comparison:
    part = "starts_with(house_l, house_r) or starts_with(house_r, house_l)"
    near = "length(house_l) = length(house_r) and jaro_similarity(house_l, house_r) >= 0.66"
    levels = (
        Level("same", "house_l = house_r", "house"),
        Level("alike", f"{part} or ({near})"),
        Level("different", "ELSE"),
    )
    return Comparison("house", _absent("house"), levels, Shared.HOUSEHOLD)


def _equal(column: str, *, frequency: bool = True) -> Comparison:
    levels = (
        Level("same", f"{column}_l = {column}_r", column if frequency else ""),
        Level("different", "ELSE"),
    )
    return Comparison(column, _absent(column), levels)
