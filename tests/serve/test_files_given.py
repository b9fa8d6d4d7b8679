"""Files a person gives on the command line: read as his programs save them, or refused in words."""

import io
import json
import sys

import pytest

from regulars.errors import InputError
from regulars.serve.cli.files import text_in
from regulars.serve.cli.main import main

BYTES = bytes(range(255, -1, -1))
NOTICE = 'version = "v9"\neffective_from = 2026-03-01T00:00:00+08:00\npurposes = ["marketing"]\n'
RULE = '{"rule": {"field": "茶", "is": "=", "value": 1}}'
COMMANDS = [
    ("reach journey put {file}.toml", 'id = "茶"', "茶"),
    ("reach journey simulate {file}.toml", 'id = "茶"', "茶"),
    ("reach campaign put {file}.toml", 'channels = ["茶"]\ntopic = "茶"', "茶"),
    ("reach campaign put {folder}/campaign.toml", "茶,茶\n", "has no column customer_id"),
    ("reach coupon import cup {file}.txt", "茶-1\n茶-2\n", "cup"),
    ("reach coupon check CODE --basket {file}.json", '["茶"]', "holds no order"),
    ("decide offer import {file}.csv", "offer_id,name\n茶,茶\n", "茶"),
    ("govern user add mei --role marketer --password-file {file}.txt", "茶" * 12, "mei"),
    ("govern approve 1 --by lan --password-file {file}.txt", "茶" * 12, "lan"),
    ("govern copycheck {file}.txt", "全国第一的茶\n", "第一"),
    ("govern consent notice {file}.toml", NOTICE + 'zh = "茶"\nen = "tea"\n', "v9"),
    ("unify tag add tea --file {file}.json", '["茶"]', "must hold one JSON object"),
    ("unify tag add tea --customers {file}.csv", "customer_id,备注\nc1,茶\n", "tea"),
    ("understand segment count --rule {file}.json", RULE, "茶"),
    ("collect plan check {file}.jsonl", '["茶"]\n', "is no JSON object"),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    with pytest.raises(SystemExit):
        main(["init", str(folder / "shop")])
    (folder / "campaign.toml").write_text('audience = {file = "given.toml"}', "utf-8")
    return folder


def run(shop, capsys, command, data):
    words = command.format(file=shop / "given", folder=shop).split(" ")
    for ending in ("toml", "txt", "json", "csv", "jsonl"):
        (shop / f"given.{ending}").write_bytes(data)
    folder = [] if words[1] == "copycheck" else ["--dir", str(shop / "shop")]
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*words, *folder])
    said = capsys.readouterr()
    return ended.value.code, said.out + said.err


@pytest.mark.parametrize(("command", "text", "says"), COMMANDS)
def test_a_file_saved_as_gbk_is_read(shop, capsys, command, text, says):
    _, said = run(shop, capsys, command, text.encode("gbk"))

    assert says in said
    assert "UTF-8" not in said


@pytest.mark.parametrize("command", [command for command, _, _ in COMMANDS])
def test_bytes_that_are_no_text_are_refused_in_words(shop, capsys, command):
    code, said = run(shop, capsys, command, BYTES)

    assert code == 2
    assert "is not UTF-8 text, nor UTF-16 or GB 18030; wanted" in said
    assert "save it as UTF-8" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_text_is_the_same_however_it_was_saved(encoding, ending):
    data = f"回头客,1{ending}é𠮷,2{ending}".replace("é𠮷" if encoding == "gbk" else "\0", "茶")

    said = text_in(data.encode(encoding), "a.csv")

    assert said == f"回头客,1\n{'茶' if encoding == 'gbk' else 'é𠮷'},2\n"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xfea\x00b", "is not UTF-8 text"),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", "NUL characters"),
        (b"PK\x03\x04\x00\x00", "NUL characters"),
        (b"\xff", "is not UTF-8 text"),
    ],
)
def test_what_is_no_text_is_said(data, says):
    with pytest.raises(InputError, match=says) as refused:
        text_in(data, "a.csv")

    assert str(refused.value).startswith("a.csv ")


def test_a_folder_and_a_file_that_is_not_there_are_refused_in_words(shop, capsys):
    for place, says in ((shop, "cannot be read"), (shop / "none", "there is no such file")):
        code, said = run(shop, capsys, f"govern copycheck {place}", b"")
        assert (code, says in said) == (2, True), said


def test_standard_input_is_read_like_a_file(shop, capsys, monkeypatch):
    typed = io.TextIOWrapper(io.BytesIO("全国第一的茶\n".encode("gbk")), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", typed)

    code, said = run(shop, capsys, "govern copycheck - --json", b"")

    assert (code, "全国第一" in json.dumps(said, ensure_ascii=False)) == (1, True)
