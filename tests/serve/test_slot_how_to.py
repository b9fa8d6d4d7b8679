"""The how-to about an offer on a page does what it says: its files, commands, page and signature."""

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from regulars.app import open_app
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.serve.cli.main import main
from regulars.serve.public.slots.script import script

PAGE = (Path(__file__).parents[2] / "docs/how-to/put-an-offer-on-a-page.md").read_text("utf-8")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


def test_the_page_leads_from_an_empty_place_to_an_answer(
    make_shop, serve, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    make_shop.filled(tmp_path / "shop")
    channel, content = blocks("toml")
    with (tmp_path / "shop" / "regulars.toml").open("a", encoding="utf-8") as file:
        file.write(channel)
    (tmp_path / "home.news.toml").write_text(content, "utf-8")
    said = []
    for line in "".join(blocks("sh")).splitlines():
        with pytest.raises(SystemExit) as end:
            main(shlex.split(line)[1:])
        assert end.value.code == 0, line
        said.append(capsys.readouterr().out)
    made = json.loads(said[1])
    names = {}
    exec(blocks("python")[0], names)  # noqa: S102 - the page's own example
    now = datetime.now(UTC)
    customers = [f"c{n:03}" for n in range(60)]
    words = [Word(one, "marketing", "granted", now) for one in customers]
    set_consent(open_app(tmp_path / "shop").state, words, actor="test", now=now)

    with serve(tmp_path / "shop") as server:
        client = server.client(None)
        client.headers = {"origin": "https://shop.example", "user-agent": BROWSER}
        answers = [
            client.post(
                f"/api/reach/slot/{made['key']}/ask",
                content=json.dumps({
                    "slot": "home",
                    "customer": names["vouch"](made["secret"], one),
                }),
            )
            for one in customers
        ]

    assert said[0] == "home.news@1\n"
    assert made["key"] in said[2]
    assert {answer.status_code for answer in answers} == {200}
    shown = [answer.json()["shown"] for answer in answers]
    assert {(one["title"], one["text"]) for one in shown if one} == {("新茶到店", "今日可以试饮")}


def test_every_attribute_and_class_of_the_page_is_one_the_script_knows():
    body = script()[0].decode()
    attributes = set(re.findall(r"`(data-[a-z-]+)`", PAGE))
    classes = set(re.findall(r"`\.regulars-([a-z]+)`", PAGE))

    assert len(attributes) == 8
    for one in attributes:
        head, *rest = one.removeprefix("data-").split("-")
        assert re.search(rf"\b{head}{''.join(part.title() for part in rest)}\b", body), one
    made = re.findall(r'part\((?:"\w+"|isLink [^,]+), "(\w+)"', body)
    assert classes == set(made)


def test_a_key_is_made_listed_and_ended_from_the_command_line(make_shop, tmp_path, capsys):
    app = make_shop.empty(tmp_path / "shop")
    there = ["--dir", str(tmp_path / "shop")]

    def said(*words):
        with pytest.raises(SystemExit):
            main(["govern", "publishable-key", *words, *there])
        return capsys.readouterr()

    assert "no publishable keys" in said("list").out
    refused = said("add", "site", "--origin", "https://*.shop.example").err
    assert "without a path or a star" in refused
    made = said(
        "add", "site", "--origin", "https://Shop.example/", "--origin", "http://localhost:80"
    )
    key = made.out.strip()
    assert re.fullmatch(r"pk_[0-9a-f]{32}", key)
    assert re.search(r"ps_[0-9a-f]{64}", made.err)
    assert "was given out before" in said("add", "site", "--origin", "https://a.example").err
    [listed] = json.loads(said("list", "--json").out)
    assert listed["origins"] == ["http://localhost", "https://shop.example"]
    assert json.loads(said("revoke", "site", "--json").out) == {"name": "site", "revoked": True}
    assert "revoked" in said("list").out
    assert "site" in said("revoke", "sight").err
    with app.state.reading() as opened:
        [row] = opened.all("select count(*) as n from audit_log where action like 'publishable%'")
    assert row["n"] == 2
