"""Lists as files: cells do nothing, keys are there once, crashes leave whole rows."""

import csv
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from regulars.adapters.channels.files.channel import ListChannel
from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.errors import Permanent
from regulars.ports.channels import Message, Outcome
from regulars.settings import ChannelSettings
from regulars.testing.provider_contract import contact

NASTY = [
    '=HYPERLINK("http://evil.example","a")',
    "+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "=1,2",
    'say "hello"\nand more',
    "花,店",
]


def open_list(folder, via="csv"):
    return ListChannel(Setup("calls", ChannelSettings(via=via), Secrets({}), folder, wall_clock))


def window(first, stop, text="News"):
    return [contact(n, Message(address=f"+86138000{n:05d}", text=text)) for n in range(first, stop)]


def rows(folder):
    [path] = (folder / "channels" / "calls").glob("*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_contact_sent_again_is_in_the_list_once(tmp_path):
    channel = open_list(tmp_path)
    answers = channel.send(window(0, 5))
    channel.send(window(3, 8))
    open_list(tmp_path).send(window(0, 9))

    assert {a.outcome for a in answers.values()} == {Outcome.ACCEPTED}
    assert [row["key"] for row in rows(tmp_path)] == [f"{n:032x}" for n in range(9)]


@pytest.mark.parametrize("text", NASTY)
def test_no_cell_is_run(text, tmp_path):
    open_list(tmp_path).send(window(0, 1, text))

    cell = rows(tmp_path)[0]["text"]
    assert not cell.lstrip(" \n").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert rows(tmp_path)[0]["address"] == "+8613800000000"


def test_workbooks_hold_the_same_as_text(tmp_path):
    channel = open_list(tmp_path, via="xlsx")
    channel.send(window(0, 2, NASTY[0]))
    channel.send(window(2, 3, "花"))

    [path] = (tmp_path / "channels" / "calls").glob("*.xlsx")
    sheet = load_workbook(path)["contacts"]
    cells = [[cell for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[7].value for row in cells] == [NASTY[0], NASTY[0], "花"]
    assert {cell.data_type for row in cells for cell in row if cell.value is not None} == {"s"}


def test_a_row_cut_off_by_a_crash_is_written_whole_again(tmp_path):
    open_list(tmp_path).send(window(0, 3, 'two\r\nlines, and "quotes"'))
    [path] = (tmp_path / "channels" / "calls").glob("*.csv")
    whole = path.read_bytes()

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        open_list(tmp_path).send(window(0, 3, 'two\r\nlines, and "quotes"'))
        assert path.read_bytes() == whole, length


def test_campaigns_never_share_a_list_and_only_the_owner_reads_it(tmp_path):
    [one] = window(0, 1)
    names = ["a/b", "a-b", "a b", "../../etc/x"]
    open_list(tmp_path).send([
        replace(one, key=f"{n}", campaign_id=name) for n, name in enumerate(names)
    ])

    files = list((tmp_path / "channels" / "calls").glob("*.csv"))
    assert len(files) == 4
    assert {stat.S_IMODE(os.stat(path).st_mode) for path in files} == {0o600}
    assert list(tmp_path.iterdir()) == [tmp_path / "channels"]


def test_a_list_that_cannot_be_written_says_where(tmp_path):
    (tmp_path / "channels").write_text("in the way")

    with pytest.raises((Permanent, OSError), match="channels"):
        open_list(tmp_path).send(window(0, 1))
    assert Path(tmp_path / "channels").is_file()


def test_a_channel_that_appends_without_looking_is_caught(tmp_path):
    class Careless(ListChannel):
        def _keys(self, path, file):
            file.seek(0, os.SEEK_END)
            return set()

    careless = Careless(open_list(tmp_path).setup)
    careless.send(window(0, 2))
    careless.send(window(0, 2))

    assert len(rows(tmp_path)) == 4, "the suite above would see these"
