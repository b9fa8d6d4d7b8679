"""The mapping: what a person may write, and what is said when it is wrong."""

from datetime import date

import pytest

from regulars.collect.sources.mapping import mapping_of, read_mapping
from regulars.errors import InputError

LINES = """order_id,line_id,customer_id,product_id,business_date,quantity,sales
o1,1,c1,p1,2026-11-02,2,5.00
"""


def mapping(section):
    return f'[[file]]\nmatch = "lines*"\n{section}'


def test_a_file_laid_out_like_the_table_needs_its_name_only(shop):
    shop.write("lines.csv", LINES)

    shop.bring("lines.csv", mapping=mapping('table = "order_lines"'))

    assert shop.rows("order_lines", "order_id", "sales") == [("o1", pytest.approx(5))]


def test_every_transform_does_what_its_name_says(shop):
    shop.write(
        "lines.csv",
        "bon;art;kind;wk;off;extra;paid;n\nb1;a1;Own;2;-1.50;0.25;9,9;3\n".replace("9,9", "9.90"),
    )
    section = """
delimiter = ";"
[file.order_lines]
order_id = "bon"
line_id = "art"
product_id = "art"
customer_id = { constant = "guest" }
business_date = { column = "wk", week_one = 2026-01-05 }
quantity = "n"
sales = "paid"
retail_discount = { column = "off", negate = true }
coupon_discount = { add = ["extra", "extra"] }
[file.products]
one_per_key = true
product_id = "art"
is_private_label = { column = "kind", values = { Own = true, Other = false } }
name = { column = "kind", values = { Own = "of our own" } }
"""

    shop.bring("lines.csv", mapping=mapping(section))

    [line] = shop.rows("order_lines")
    assert line["business_date"] == date(2026, 1, 12)
    assert (str(line["retail_discount"]), str(line["coupon_discount"])) == ("1.50", "0.50")
    assert line["customer_id"] == "guest"
    [product] = shop.rows("products")
    assert (product["is_private_label"], product["name"]) == (True, "of our own")


def test_moments_take_their_zone_from_the_text_the_mapping_or_the_workspace(shop):
    columns = "order_id,customer_id,total,ordered_at"
    shop.write("a.csv", f"{columns}\n1,c,1,2026-11-02 23:30\n2,c,1,2026-11-02T23:30:00Z\n")
    shop.write("b.csv", f"{columns}\n3,c,1,02.11.2026 23:30\n")

    shop.bring(
        mapping='[[file]]\nmatch = "a*"\ntable = "orders"\n[[file]]\nmatch = "b*"\n[file.orders]\n'
        'ordered_at = { column = "ordered_at", zone = "UTC", format = "%d.%m.%Y %H:%M" }'
    )

    found = [
        (order, moment.strftime("%d %H:%M"), day.isoformat())
        for order, moment, day in shop.rows("orders", "order_id", "ordered_at", "business_date")
    ]
    assert found == [
        ("1", "02 15:30", "2026-11-02"),
        ("2", "02 23:30", "2026-11-03"),
        ("3", "02 23:30", "2026-11-03"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no [[file]] section"),
        ("[[file]\n", "not TOML"),
        ("[[files]]\nmatch = 'a'", "no section named 'files'"),
        ('[[file]]\ntable = "orders"', "no `match`"),
        ('[[file]]\nmatch = "a"', "feeds no table"),
        ('[[file]]\nmatch = "a"\ntable = "order"', "no table named 'order'; known: ad_costs"),
        ('[[file]]\nmatch = "a"\n[file.orders]\ntotall = "x"', "no column named 'totall'; known: "),
        ('[[file]]\nmatch = "a"\n[file.orders]\ntotal = 3', "name a file column"),
        ('[[file]]\nmatch = "a"\n[file.orders]\ntotal = { column = "x", neg = true }', "no transform named 'neg'"),
        ('[[file]]\nmatch = "a"\n[file.orders]\ntotal = { negate = true }', "exactly one of"),
        ('[[file]]\nmatch = "a"\n[file.orders]\ntotal = { column = "x", fold = "sum" }', "one_per_key"),
        ('[[file]]\nmatch = "a"\n[file.orders]\none_per_key = true\ntotal = { column = "x", fold = "avg" }', "no fold named 'avg'"),
        ('[[file]]\nmatch = "a"\n[file.orders]\nordered_at = { column = "x", zone = "Mars" }', "no IANA zone"),
        ('[[file]]\nmatch = "a"\n[file.orders]\naccept_unknown = ["shop"]', "no column named 'shop'"),
        ('[[file]]\nmatch = "a"\ntable = "orders"\nencoding = "klingon"', "no encoding named"),
        ('[[file]]\nmatch = "a"\ntable = "orders"\ndelimiter = "||"', "one ASCII character"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_says_what_is_wrong_and_what_is_known(text, says):
    with pytest.raises(InputError) as error:
        mapping_of(text, "mapping.toml")

    assert says in str(error.value)
    assert "mapping.toml" in str(error.value) or "encoding" in says


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ('[file.orders]\norder_id = "order_id"', "requires ordered_at, total"),
        ('[file.order_lines]\nsales = "paid"', "reads column 'paid', which the file lacks"),
        ("[file.order_lines]\nline_id = { column = 'line_id', negate = true }", "holds string"),
        ("[file.order_lines]\nquantity = { column = 'quantity', zone = 'UTC' }", "zone makes"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_says_so(shop, section, says):
    shop.write("lines.csv", LINES)

    with pytest.raises(InputError) as error:
        shop.bring("lines.csv", mapping=mapping(section))

    assert says in str(error.value)
    assert shop.lake.files("order_lines") == []


def test_a_file_that_fits_no_pattern_is_named_with_the_patterns(shop):
    shop.write("stock.csv", "a\n1\n")

    with pytest.raises(InputError, match=r"stock\.csv fits no pattern .*'lines\*'"):
        shop.bring("stock.csv", mapping=mapping('table = "order_lines"'))


def test_a_mapping_that_cannot_be_read_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="check the path"):
        read_mapping(tmp_path / "none.toml")

    (tmp_path / "gbk.toml").write_bytes("# 订单".encode("gbk"))
    with pytest.raises(InputError, match="save it as UTF-8"):
        read_mapping(tmp_path / "gbk.toml")
