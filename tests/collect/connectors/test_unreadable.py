"""One file of a folder that cannot be read holds up no other, and is told of until it is mended."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.collect.connectors.test_pulling import NOW, Shop

from regulars.collect.connectors.unreadable.service import unread_files
from regulars.collect.sources.mapping import read_mapping
from regulars.collect.sources.service import import_files
from regulars.errors import InputError

MAPPING = (
    '[[file]]\nmatch = "*"\n[file.reviews]\nreview_id = "id"\nbody = "text"\nrating = "stars"\n'
    'reviewed_at = "at"\n'
)
HEADING = "id,text,stars,at\n"
ROW = "%s,ok,5,2026-11-05 10:00\n"
SPOILT = {
    "text.parquet": b"no parquet at all",
    "cut.parquet": b"PAR1\x00\x01",
    "book.xlsx": b"PK\x03\x04 torn",
    "list.json": b'[{"id": "a"},\n{"id": ]',
    "binary.ndjson": b'{"id": "a"}\n\xff\xfe\x00\n',
    "gbk.csv": "编号,正文\n".encode("gb18030"),
    "empty.csv": b"",
    "other.csv": b"colour,size\nred,7\n",
    "name.csv": b"13812345678,13812345678\n1,2\n",
}


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    (tmp_path / "drop").mkdir()
    (tmp_path / "reviews.toml").write_text(MAPPING)
    return shop


def put(shop, name, data):
    (shop.folder / "drop" / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def pulled(shop):
    return shop.pulled("reviews", path="drop", mapping="reviews.toml")


def ids(shop):
    return sorted(row["review_id"] for row in shop.rows("reviews"))


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_that_cannot_be_read_holds_up_no_other(shop, name):
    put(shop, "a.csv", HEADING + ROW % "a1")
    put(shop, name, SPOILT[name])
    put(shop, "z.csv", HEADING + ROW % "z1")

    found = pulled(shop)

    assert ids(shop) == ["a1", "z1"]
    assert [(r.file, r.stored) for r in found.results] == [("a.csv", 1), ("z.csv", 1)]
    [apart] = found.unreadable
    assert apart.path.name == name
    [kept] = unread_files(shop.pull.state)
    assert (kept.source, kept.file, kept.since) == ("one", f"drop/{name}", NOW)
    assert kept.reason
    assert "13812345678" not in kept.reason


def test_the_line_at_fault_is_told_where_it_is_known(shop):
    put(shop, "list.json", SPOILT["list.json"])

    [apart] = pulled(shop).unreadable

    assert apart.line == 2


def test_a_mended_file_is_read_whole_and_once_and_is_told_of_no_more(shop):
    put(shop, "a.csv", HEADING + ROW % "a1")
    put(shop, "b.csv", b"")
    pulled(shop)
    shop.pull = replace(shop.pull, now=NOW + timedelta(days=1))
    still = pulled(shop)
    [since] = [one.since for one in unread_files(shop.pull.state)]

    put(shop, "b.csv", HEADING + ROW % "b1" + ROW % "b2")
    mended, after = pulled(shop), pulled(shop)

    assert since == NOW, "it could not be read since the first pull"
    assert (still.results, len(still.unreadable)) == ([], 1)
    assert ([r.stored for r in mended.results], mended.unreadable) == ([2], [])
    assert (after.results, ids(shop)) == ([], ["a1", "b1", "b2"])
    assert unread_files(shop.pull.state) == []


def test_a_file_that_breaks_off_inside_leaves_nothing_half_done(shop):
    put(shop, "a.csv", HEADING + "".join(ROW % f"a{n}" for n in range(5)))
    shop.read("reviews", path="drop", mapping="reviews.toml")
    put(shop, "half.json", json.dumps([{"id": "h1", "text": "x", "stars": 5, "at": "2026-11-05"}]))
    whole = (shop.folder / "drop" / "half.json").read_bytes()
    put(shop, "half.json", whole[:-4])

    [apart] = pulled(shop).unreadable

    assert apart.path.name == "half.json"
    assert len(ids(shop)) == 5
    assert {row["file"] for row in shop.rows("imports")} == {"a.csv"}


def test_sources_are_kept_apart_and_a_file_that_is_gone_is_forgotten(shop):
    put(shop, "a.csv", b"")
    pulled(shop)
    shop.pulled("reviews", name="other", path="drop", mapping="reviews.toml")
    assert [one.source for one in unread_files(shop.pull.state)] == ["one", "other"]

    (shop.folder / "drop" / "a.csv").unlink()
    pulled(shop)

    assert [one.source for one in unread_files(shop.pull.state)] == ["other"]


def test_who_imports_files_by_hand_is_stopped_by_the_first(shop):
    put(shop, "a.csv", HEADING + ROW % "a1")
    put(shop, "b.csv", b"")
    mapping = read_mapping(shop.folder / "reviews.toml")

    with pytest.raises(InputError, match="b.csv"):
        import_files(shop.pull.lake, [shop.folder / "drop"], mapping, zone="Asia/Shanghai")
    assert shop.rows("reviews") == []
