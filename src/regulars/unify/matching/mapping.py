"""Which column of a table says what about a customer: told by a mapping, or guessed by name."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regulars.errors import InputError, UnknownName

SINGLE = (
    "id", "login", "given_name", "surname", "full_name", "birth_date", "phone", "email",
    "house_number", "city", "postcode", "gender", "national_id",
)  # fmt: skip
MANY = ("address", "attributes")
ROLES = (*SINGLE, *MANY)

_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "record_id", "rec_id", "unique_id", "row_id", "uid", "编号", "记录号"),
    "login": ("login", "login_id", "customer_id", "member_id", "会员号", "会员编号", "客户号"),
    "given_name": ("given_name", "first_name", "forename", "firstname", "名"),
    "surname": ("surname", "last_name", "family_name", "lastname", "姓"),
    "full_name": ("full_name", "name", "customer_name", "fullname", "姓名", "客户姓名"),
    "birth_date": (
        "birth_date", "date_of_birth", "dob", "birthday", "birthdate", "生日", "出生日期",
    ),
    "phone": ("phone", "mobile", "phone_number", "tel", "telephone", "手机", "手机号", "电话"),
    "email": ("email", "e_mail", "mail", "email_address", "邮箱", "电子邮箱"),
    "house_number": ("house_number", "street_number", "门牌号"),
    "city": ("city", "town", "suburb", "birth_place", "城市", "市"),
    "postcode": ("postcode", "zip", "zip_code", "postal_code", "postcode_fake", "邮编"),
    "gender": ("gender", "sex", "性别"),
    "national_id": (
        "national_id", "id_card", "soc_sec_id", "ssn", "passport", "身份证", "身份证号",
    ),
    "address": ("address", "address_1", "address_2", "street", "address1", "address2", "地址",
                "详细地址"),
    "attributes": ("occupation", "state", "province", "company", "职业", "省份"),
}  # fmt: skip


@dataclass(frozen=True)
class Roles:
    """Which columns of a table carry which role.

    Attributes:
        single: Column by role, for roles with one column: "id", "phone"...
        address: Columns that together make the address, in order.
        attributes: Other columns that stay with a person: occupation, province...
        source: Name of the system the table comes from; ids are unique within it.
        is_guessed: True when the columns were guessed by their names.
    """

    single: Mapping[str, str] = field(default_factory=dict)
    address: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    source: str = "records"
    is_guessed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Give the roles as a mapping file would say them.

        Returns:
            Column, or list of columns, by role; roles without a column are left out.
        """
        found: dict[str, Any] = {role: self.single[role] for role in SINGLE if role in self.single}
        for role, columns in (("address", self.address), ("attributes", self.attributes)):
            if columns:
                found[role] = list(columns)
        return found


def roles_by_name(columns: Iterable[str]) -> Roles:
    """Guess which column is which by their names.

    Args:
        columns: Names of the table's columns.

    Returns:
        The roles recognised; columns nobody recognises carry none.

    Raises:
        InputError: Nothing but an id is recognised.

    Example:
        >>> roles_by_name(["rec_id", "Mobile", "姓名", "colour"]).as_dict()
        {'id': 'rec_id', 'full_name': '姓名', 'phone': 'Mobile'}
    """
    columns = list(columns)
    plain = {_plain(column): column for column in reversed(columns)}
    single = {
        role: next(plain[name] for name in _NAMES[role] if name in plain)
        for role in SINGLE
        if any(name in plain for name in _NAMES[role])
    }
    many = {role: tuple(plain[name] for name in _NAMES[role] if name in plain) for role in MANY}
    roles = Roles(single, many["address"], many["attributes"], is_guessed=True)
    return checked_roles(roles, columns)


def checked_roles(roles: Roles, columns: Iterable[str]) -> Roles:
    """Check that a table has the columns the roles name, and that they say who somebody is.

    Args:
        roles: As guessed or read.
        columns: Names of the table's columns.

    Returns:
        The same roles.

    Raises:
        UnknownName: A column is not in the table.
        InputError: The roles say nothing two rows could be compared by.
    """
    known = list(columns)
    for column in (*roles.single.values(), *roles.address, *roles.attributes):
        if column not in known:
            raise UnknownName("column", column, known)
    if not (set(roles.single) - {"id", "login", "gender", "house_number"} or roles.address):
        raise InputError(
            f"none of the columns {', '.join(known)} is recognised as a name, phone, e-mail, "
            "birth date, address or national id; say which is which with --mapping "
            f"(roles: {', '.join(ROLES)})"
        )
    return roles


def read_roles(path: Path) -> Roles:
    """Read a mapping file.

    Args:
        path: A TOML file of lines such as `phone = "mobile"` and `address = ["street", "flat"]`,
            and, if wanted, `source = "crm"`.

    Returns:
        Its roles; whether the table has the columns is checked later.

    Raises:
        InputError: The file cannot be read, or a value is no column name.
        UnknownName: It names a role there is none of.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"the mapping {path} cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}; mend the line it names") from error
    return roles_of(given, str(path))


def roles_of(given: Mapping[str, Any], origin: str = "the mapping") -> Roles:
    """Take roles from what a mapping says.

    Args:
        given: Column, or list of columns, by role.
        origin: Where it was read, for messages.

    Returns:
        The roles.

    Raises:
        InputError: A value is no column name.
        UnknownName: A role there is none of.

    Example:
        >>> roles_of({"phone": "mobile", "address": ["street"]}).address
        ('street',)
    """
    single: dict[str, str] = {}
    many: dict[str, tuple[str, ...]] = {"address": (), "attributes": ()}
    source = "records"
    for role, value in given.items():
        if role not in {*ROLES, "source"}:
            raise UnknownName("role", role, {*ROLES, "source"})
        columns = [value] if isinstance(value, str) else value
        if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
            raise InputError(f"{origin}: {role} is {value!r}, must name a column of the table")
        if role in many:
            many[role] = tuple(columns)
        elif len(columns) != 1:
            raise InputError(f"{origin}: {role} is {value!r}, must name exactly one column")
        elif role == "source":
            source = _source(columns[0], origin)
        else:
            single[role] = columns[0]
    return Roles(single, many["address"], many["attributes"], source)


def _source(name: str, origin: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise InputError(
            f"{origin}: source is {name!r}, must be up to 64 letters, digits, '_', '.' and '-'"
        )
    return name


def _plain(column: str) -> str:
    return re.sub(r"[\s_-]+", "_", column.strip().lower())
