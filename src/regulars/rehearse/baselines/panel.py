"""What a retailer can see of the twin's customers: the profile's figures, kept in memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.twin import Outcome, Twin

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CAP_CONTACTS, CAP_WEEKS = 2, 4
"""Two contacts in any 28 days: the week to come and the three before it."""
_DAYS = 60


@dataclass(frozen=True)
class Panel:
    """Observations up to the end of a week; arrays over customers.

    Attributes:
        week: Weeks seen.
        first_day: Day of the first order, counted from 0; -1 for none.
        last_day: Day of the last order; -1 for none.
        order_days: Days with an order.
        orders: Orders so far.
        sales: Money so far.
        full_price: Money so far before any discount.
        coupon_orders: Orders with a coupon of the maker's or ours.
        own_brands: Money so far on own brands.
        daily: Orders of each of the last 60 days, newest last, shape (customers, 60).
        contacts: Contacts of each of the last four weeks, newest last, shape (customers, 4).
        contacts_ever: Contacts so far.
        engaged: Contacts opened or redeemed so far.
    """

    week: int
    first_day: Integers
    last_day: Integers
    order_days: Integers
    orders: Integers
    sales: Floats
    full_price: Floats
    coupon_orders: Integers
    own_brands: Floats
    daily: NDArray[np.int16]
    contacts: Integers
    contacts_ever: Integers
    engaged: Integers

    @property
    def may_contact(self) -> NDArray[np.bool_]:
        """True where the cap leaves room for a contact in the coming week."""
        return np.asarray(self.contacts[:, 1:].sum(axis=1) < CAP_CONTACTS)


def empty_panel(customers: int) -> Panel:
    """Give the panel of a retailer who has seen nothing yet."""
    none, zero = np.full(customers, -1), np.zeros(customers, dtype=np.int64)
    money = np.zeros(customers)
    return Panel(
        week=0, first_day=none, last_day=none, order_days=zero, orders=zero, sales=money,
        full_price=money, coupon_orders=zero, own_brands=money,
        daily=np.zeros((customers, _DAYS), dtype=np.int16),
        contacts=np.zeros((customers, CAP_WEEKS), dtype=np.int64), contacts_ever=zero, engaged=zero,
    )  # fmt: skip


def observed(panel: Panel, outcome: Outcome) -> Panel:
    """Add a week to a panel.

    Args:
        panel: What was seen before; left as it is.
        outcome: The week.

    Returns:
        The panel with the week.
    """
    size, rows, lines = len(panel.orders), outcome.order_rows, outcome.line_rows
    days = np.bincount(rows.customer * 7 + rows.day, minlength=size * 7).reshape(size, 7)
    any_day = days > 0
    bought = any_day.any(axis=1)
    start = panel.week * 7
    last = start + 6 - any_day[:, ::-1].argmax(axis=1)
    first = start + any_day.argmax(axis=1)
    buyer = rows.customer[lines.order]
    off = lines.shelf_discount + lines.maker_discount + lines.offer_discount
    with_coupon = np.bincount(lines.order, lines.maker_discount + lines.offer_discount,
                              minlength=len(rows.customer)) > 0  # fmt: skip
    contacted = np.zeros(size, dtype=np.int64)
    contacted[outcome.contacts.customer] = 1
    own = lines.sales * (lines.product % 2)
    return Panel(
        week=panel.week + 1,
        first_day=np.where((panel.first_day < 0) & bought, first, panel.first_day),
        last_day=np.where(bought, last, panel.last_day),
        order_days=panel.order_days + any_day.sum(axis=1),
        orders=panel.orders + outcome.orders,
        sales=panel.sales + outcome.sales,
        full_price=panel.full_price + np.bincount(buyer, lines.sales + off, minlength=size) / 100,
        coupon_orders=panel.coupon_orders
        + np.bincount(rows.customer[with_coupon], minlength=size),
        own_brands=panel.own_brands + np.bincount(buyer, own, minlength=size) / 100,
        daily=np.concatenate([panel.daily[:, 7:], days.astype(np.int16)], axis=1),
        contacts=np.concatenate([panel.contacts[:, 1:], contacted[:, None]], axis=1),
        contacts_ever=panel.contacts_ever + contacted,
        engaged=panel.engaged + (outcome.noticed | outcome.redeemed),
    )  # fmt: skip


def profile(twin: Twin, panel: Panel) -> dict[str, Floats]:
    """Compute the figures a profile shows, each about -2 to 2; 0 where nothing is known.

    Args:
        twin: For the demographics told at sign-up; nothing hidden is read.
        panel: What was seen.

    Returns:
        Columns by name, each of shape (customers,).
    """
    today = panel.week * 7 - 1
    known = panel.first_day >= 0
    weeks = np.maximum(today - panel.first_day + 1, 7) / 7
    gap = (panel.last_day - panel.first_day) / np.maximum(panel.order_days - 1, 1)
    gap = np.where(panel.order_days > 1, np.maximum(gap, 1), 14.0)
    basket = panel.sales / np.maximum(panel.orders, 1)
    usual = float(np.median(basket[known])) if known.any() else 1.0
    recent, before = panel.daily[:, -30:].sum(axis=1), panel.daily[:, :30].sum(axis=1)
    price = np.maximum(panel.full_price, 0.01)
    columns = {
        "frequency": np.log1p(panel.orders / weeks) - 0.7,
        "basket": np.log(np.maximum(basket, 0.01) / usual),
        "discount_share": (1 - panel.sales / price - 0.15) / 0.15,
        "coupon_share": (panel.coupon_orders / np.maximum(panel.orders, 1) - 0.05) / 0.1,
        "private_label": (panel.own_brands / np.maximum(panel.sales, 0.01) - 0.22) / 0.15,
        "lapse": np.log1p((today - panel.last_day) / gap) - 0.7,
        "trend": np.log((recent + 1) / (before + 1)),
        "engaged": (panel.engaged / np.maximum(panel.contacts_ever, 1) - 0.4) / 0.3,
        "contacts": panel.contacts.sum(axis=1) - 1.0,
    }
    columns = {name: np.where(known, column, 0.0) for name, column in columns.items()}
    columns["engaged"] = np.where(panel.contacts_ever > 0, columns["engaged"], 0.0)
    columns["contacted_often"] = np.minimum(panel.contacts_ever, 6) / 3 - 1
    columns["unknown"] = (~known).astype(float)
    columns |= _signed_up(twin)
    return {name: np.clip(column, -2.5, 2.5) for name, column in columns.items()}


def _signed_up(twin: Twin) -> dict[str, Floats]:
    words = twin.population.demographics
    age, income = first_number(words["age"]), first_number(words["income"])
    return {
        "age": np.nan_to_num((age - 45) / 15),
        "income": np.nan_to_num(np.log(income / 50)),
        "told": (~np.isnan(age)).astype(float),
        "children": np.isin(words["kids_count"], ["1", "2", "3+"]).astype(float),
        "owner": (words["home_ownership"] == "Homeowner").astype(float),
        "married": (words["marital_status"] == "Married").astype(float),
    }


def first_number(bands: NDArray[np.str_]) -> Floats:
    """Read the first number of a band such as "35-44" or "Under 15K".

    Args:
        bands: Words, shape (customers,).

    Returns:
        Numbers, shape (customers,); nan where a word has none.

    Example:
        >>> first_number(np.array(["35-44", "Under 15K", "65+", ""])).tolist()
        [35.0, 15.0, 65.0, nan]
    """
    words, place = np.unique(bands, return_inverse=True)
    digits = ["".join(c if c.isdigit() else " " for c in str(word)).split() for word in words]
    values = np.array([float(found[0]) if found else np.nan for found in digits])
    return np.asarray(values[place])
