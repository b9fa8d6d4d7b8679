"""A file that changes while it is imported: nothing of it is stored, or all of it once."""

import pytest

from regulars.errors import InputError, Permanent, Transient

CUSTOMERS = "customer_id\nc1\nc2\n"
ORDERS = "order_id,customer_id,ordered_at,total\no1,%s,2026-10-01,1\n"
BOTH = """
[[file]]
match = "both*"
[file.customers]
customer_id = "who"
[file.products]
product_id = "what"
"""


class Lake:
    """A lake that does something when a table was appended to."""

    def __init__(self, lake, table, then):
        self._lake, self._table, self._then = lake, table, then

    def __getattr__(self, name):
        return getattr(self._lake, name)

    def append(self, name, rows, /, *, application):
        done = self._lake.append(name, rows, application=application)
        if name == self._table:
            self._then()
        return done


def growing(path, more, *, after):
    """Give a progress that has the file grow once, when so much of it is done."""
    left = [more]

    def progress(name, share):
        if name == path.name and share >= after and left:
            with path.open("a") as file:
                file.write(left.pop())

    return progress


@pytest.mark.parametrize("after", [0.5, 0.6], ids=["between the readings", "in the second"])
def test_a_file_that_grows_while_it_is_read_is_set_apart_whole(shop, after):
    shop.write("customers-0.csv", "customer_id\nc0\n")
    shop.bring()
    path, apart = shop.write("customers-1.csv", CUSTOMERS), []
    shop.write("orders-1.csv", ORDERS % "c1")
    shop.write("orders-2.csv", (ORDERS % "c0").replace("o1", "o2"))

    shop.bring(progress=growing(path, "c3\n", after=after), unreadable=apart)

    assert [(one.path, "changed while it was read" in one.reason) for one in apart] == [
        (path, True)
    ]
    assert shop.rows("customers", "customer_id") == [("c0",)]
    assert shop.rows("orders", "order_id") == [("o2",)]
    assert shop.held_back() == {("orders-1.csv", 1, "unknown_id")}, "its ids are not known"
    shop.bring("customers-1.csv")
    assert shop.rows("customers", "customer_id") == [("c0",), ("c1",), ("c2",), ("c3",)]


def test_a_file_of_which_a_part_is_stored_is_not_said_to_be_apart(shop):
    path, apart = shop.write("both.csv", "who,what\nc1,p1\n"), []
    lake = Lake(shop.lake, "customers", lambda: path.write_text("who,what\nc1,p1\nc2,p2\n"))

    with pytest.raises(Transient, match=r"both.csv .* a part of it is stored .*import it again"):
        shop.bring("both.csv", mapping=BOTH, lake=lake, unreadable=apart)

    assert apart == []
    assert shop.rows("imports") == []
    shop.bring("both.csv", mapping=BOTH)
    assert shop.rows("customers", "customer_id") == [("c1",), ("c2",)]
    assert shop.rows("products", "product_id") == [("p1",), ("p2",)]


def test_a_lake_that_fails_is_no_fault_of_the_file(shop):
    def fails():
        raise ValueError("no such codec")

    shop.write("both.csv", "who,what\nc1,p1\n")
    apart = []

    with pytest.raises(Permanent, match=r"cannot store both.csv.*no such codec"):
        shop.bring(
            "both.csv", mapping=BOTH, lake=Lake(shop.lake, "imports", fails), unreadable=apart
        )
    assert apart == []


def test_who_imports_by_hand_is_told_that_the_file_changed(shop):
    path = shop.write("customers-1.csv", CUSTOMERS)

    with pytest.raises(InputError, match="changed while it was read; import it again"):
        shop.bring(progress=growing(path, "c3\n", after=0.5))
    assert shop.rows("customers") == []
