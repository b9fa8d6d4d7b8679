"""The pages about importing say what the importer does."""

import re
from pathlib import Path

from regulars.collect.reference import facts_page
from regulars.collect.sources.mapping import FED, TABLE_OPTIONS, TRANSFORMS, mapping_of
from regulars.collect.sources.rules import MEANINGS, Reason

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "import-your-files.md"


def test_the_reference_names_every_table_column_option_transform_and_reason():
    page = facts_page()

    assert set(MEANINGS) == set(Reason)
    for table in FED.values():
        assert f"## {table.name}\n" in page
        assert all(f"| `{name}` |" in page for name in table.names)
    for word in (*TABLE_OPTIONS, *TRANSFORMS):
        assert re.search(rf"`{word}\b", page), word
    assert all(f"| `{reason}` |" in page for reason in Reason)


def test_the_mapping_in_the_guide_works(shop):
    [text] = re.findall(r"```toml\n(.*?)```", GUIDE.read_text("utf-8"), re.S)
    shop.write("members.csv", "customer_id,city\nc1,上海\n")
    shop.write(
        "till.csv",
        "receipt;article;card;units;paid;discount;time\n"
        "r1;a1;c1;1;9.50;-0.50;02.11.2026 09:30\nr1;a2;c1;2;3.00;0;02.11.2026 09:30\n"
        "r2;a1;c7;1;9.50;;03.11.2026 18:00\n",
    )

    results = shop.bring(mapping=text)

    assert shop.ledger(results) == {
        ("members.csv", "customers"): (1, 1, 0, 0),
        ("till.csv", "order_lines"): (3, 3, 0, 0),
        ("till.csv", "orders"): (2, 2, 0, 0),
        ("till.csv", "customers"): (2, 1, 1, 0),
    }
    assert [str(total) for (total,) in shop.rows("orders", "total")] == ["9.50", "12.50"]
    assert mapping_of(text).files[1].delimiter == ";"
