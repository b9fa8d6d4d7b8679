"""A killed import, run again, ends as if it had never been killed."""

import pytest

TILL = """bon,who,what,when,n,paid
o1,c1,p1,2026-11-02 09:00,1,6.00
o1,c1,p2,2026-11-02 09:00,2,4.00
o2,c2,p1,2026-11-03 10:00,x,4.50
o2,c2,p2,2026-11-03 10:00,1,4.50
"""
LATER = TILL + "o3,c3,p1,2026-11-04 10:00,1,1.00\no3,c3,p2,2026-11-04 10:00,-1,1.00\n"
MAPPING = """
[[file]]
match = "till*"
[file.order_lines]
order_id = "bon"
line_id = "what"
customer_id = "who"
product_id = "what"
quantity = "n"
sales = "paid"
[file.orders]
one_per_key = true
order_id = "bon"
customer_id = "who"
ordered_at = "when"
total = { column = "paid", fold = "sum" }
[file.customers]
one_per_key = true
keep_stored = true
customer_id = "who"
"""
TABLES = ("order_lines", "orders", "customers", "quarantine", "imports")


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing after it runs."""


class DyingLake:
    """A lake whose process dies before or after a certain append."""

    def __init__(self, lake, appends, is_after):
        self._lake, self._left, self._is_after = lake, appends, is_after

    def __getattr__(self, name):
        return getattr(self._lake, name)

    def append(self, name, rows, /, *, application):
        self._left -= 1
        if self._left == 0 and not self._is_after:
            raise Killed
        done = self._lake.append(name, rows, application=application)
        if self._left == 0:
            raise Killed
        return done


def bring_all(shop, lake=None):
    shop.bring("till.csv", mapping=MAPPING, lake=lake)
    return shop.bring("till-later.csv", mapping=MAPPING, lake=lake)


def filled(shop):
    shop.write("till.csv", TILL)
    shop.write("till-later.csv", LATER)
    return shop


def state(shop):
    return {name: shop.rows(name) for name in TABLES}


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("append", range(1, 11))
def test_killed_at_any_write_and_run_again_the_end_is_the_same(tmp_path, shop, append, is_after):
    unhurt = filled(type(shop)(tmp_path / "unhurt"))
    bring_all(unhurt)
    hurt = filled(type(shop)(tmp_path / "hurt"))

    with pytest.raises(Killed):
        bring_all(hurt, DyingLake(hurt.lake, append, is_after))
    results = bring_all(hurt)

    assert state(hurt) == state(unhurt)
    assert hurt.ledger(results) == {
        ("till-later.csv", "order_lines"): (6, 1, 3, 2),
        ("till-later.csv", "orders"): (3, 1, 2, 0),
        ("till-later.csv", "customers"): (3, 1, 2, 0),
    }


def test_there_are_ten_writes_to_be_killed_at(shop):
    lake = DyingLake(filled(shop).lake, 10**6, is_after=False)

    bring_all(shop, lake)

    assert 10**6 - lake._left == 10
