"""Robust CSV: a broken row breaks alone."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.collect.sources.mapping import FileRule
from regulars.collect.sources.reading.csv_rows import CsvSplitter
from regulars.collect.sources.reading.files import open_source


def split(data, width=3, block=1 << 20):
    header = tuple("abcdefgh"[:width])
    splitter = CsvSplitter(header, header, FileRule("*", ()))
    rest, row, whole, broken = b"", 0, [], []
    for at in range(0, len(data) + block, block):
        part = data[at : at + block]
        found = splitter.split(rest + part, is_last=at + block >= len(data) + block or not part)
        rest = found.rest
        values = [tuple(r.values()) for r in found.columns.to_pylist()]
        whole += list(zip((found.rows + row).tolist(), values, strict=True))
        broken += [(b[0] + row, str(b[1])) for b in found.broken]
        row += found.records
    return whole, broken


def test_each_broken_row_is_told_with_its_number_and_its_neighbours_land():
    data = (
        b"1,a,x\n"
        b"2,b\n"
        b"3,c,x\n"
        b"4," + "客".encode("gbk") + b",x\n"
        b'5,"open,x\n'
        b"6,d,x,more\n"
        b'7,"e ""q"", e",x\r\n'
        b'8,"two\nlines",x\n'
        b'9,32" TV,x\n'
        b"\n"
        b"10,f"
    )

    whole, broken = split(data)

    assert [row for row, _ in whole] == [1, 3, 7, 8, 9]
    assert whole[2:] == [
        (7, ("7", 'e "q", e', "x")),
        (8, ("8", "two\nlines", "x")),
        (9, ("9", '32" TV', "x")),
    ]
    assert broken == [
        (2, "wrong_field_count"),
        (4, "bad_encoding"),
        (5, "open_quote"),
        (6, "wrong_field_count"),
        (10, "truncated_row"),
    ]


FIELD = st.text(alphabet='ab,"\n 客é', max_size=6)
ROWS = st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, block=st.integers(5, 200))
def test_what_a_csv_writer_wrote_is_read_back_at_any_block_size(rows, block):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([(f"k{n}", *row) for n, row in enumerate(rows)])

    whole, broken = split(text.getvalue().encode(), width=4, block=block)

    assert broken == []
    assert [values for _, values in whole] == [(f"k{n}", *row) for n, row in enumerate(rows)]


def test_other_delimiters_and_encodings_are_declared(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes("编号;名\n1;客\n2;回头\n".encode("gb18030"))
    source = open_source(path, FileRule("*", (), ";", "gb18030"))

    [batch] = source.batches(source.header)

    assert batch.columns.to_pydict() == {"编号": ["1", "2"], "名": ["客", "回头"]}
