"""`regulars govern` and `regulars serve`, as they are typed."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import pytest

from regulars.app import open_app
from regulars.errors import NotReady
from regulars.govern.access.service import list_users
from regulars.govern.audit.service import record
from regulars.reach.loyalty.ledger import earn
from regulars.reach.loyalty.ledger.service import post_points
from regulars.serve.cli import main as cli
from regulars.serve.http.door.workspaces import open_site

MAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    with pytest.raises(SystemExit):
        cli.main(["init", str(folder)])
    return folder


def run(capsys, monkeypatch, *words, typed=""):
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode()), encoding="utf-8")
    )
    with pytest.raises(SystemExit) as ended:
        cli.main(["govern", *map(str, words)])
    said = capsys.readouterr()
    return ended.value.code, said.out + said.err


def add(capsys, monkeypatch, shop, *words, typed="correct horse battery\n"):
    return run(
        capsys,
        monkeypatch,
        "user",
        "add",
        *words,
        "--dir",
        shop,
        "--password-file",
        "-",
        typed=typed,
    )


def test_a_user_is_added_listed_and_disabled(capsys, monkeypatch, shop):
    code, said = add(capsys, monkeypatch, shop, "mei", "--role", "marketer")
    assert (code, said.splitlines()[-1]) == (0, "added mei as marketer")

    run(capsys, monkeypatch, "user", "disable", "mei", "--dir", shop)
    code, said = run(capsys, monkeypatch, "user", "list", "--dir", shop, "--json")

    assert code == 0
    assert json.loads(said) == [
        {"name": "mei", "role": "marketer", "locale": "en", "is_disabled": True}
    ]


def test_a_password_is_read_from_a_file_without_its_line_end(
    capsys, monkeypatch, shop, tmp_path, serve
):
    (tmp_path / "secret").write_text("correct horse battery\n", encoding="utf-8")
    code, _ = run(
        capsys,
        monkeypatch,
        "user",
        "add",
        "mei",
        "--role",
        "viewer",
        "--dir",
        shop,
        "--password-file",
        tmp_path / "secret",
    )

    assert code == 0
    with serve(shop) as server:
        assert server.sign_in(server.client(), "mei", "correct horse battery").status_code == 303


def test_a_password_cannot_be_given_as_an_argument(capsys, monkeypatch, shop):
    code, said = add(
        capsys, monkeypatch, shop, "mei", "--role", "viewer", "--password", "correct horse battery"
    )

    assert code == 2
    assert "no such option" in said.lower()


def test_without_a_terminal_the_password_must_come_from_somewhere(capsys, monkeypatch, shop):
    code, said = run(capsys, monkeypatch, "user", "add", "mei", "--role", "viewer", "--dir", shop)

    assert code == 2
    assert "give --password-file FILE or -" in said


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        (
            ["mei", "--role", "boss"],
            "correct horse battery",
            "no role named 'boss'; known: admin, analyst, approver, marketer, viewer",
        ),
        (["mei", "--role", "viewer"], "short", "the password has 5 characters, must have from 10"),
        (["a b", "--role", "viewer"], "correct horse battery", "must be 1 to 64 letters"),
    ],
)
def test_what_is_wrong_with_a_new_user_is_said(capsys, monkeypatch, shop, words, typed, says):
    code, said = add(capsys, monkeypatch, shop, *words, typed=typed)

    assert code == 2
    assert says in said


def test_a_new_password_lets_a_disabled_user_back_in(capsys, monkeypatch, shop):
    add(capsys, monkeypatch, shop, "mei", "--role", "viewer")
    run(capsys, monkeypatch, "user", "disable", "mei", "--dir", shop)

    code, _ = run(
        capsys,
        monkeypatch,
        "user",
        "password",
        "mei",
        "--dir",
        shop,
        "--password-file",
        "-",
        typed="another horse\n",
    )

    assert code == 0
    assert [user.is_disabled for user in list_users(open_site(shop).home.state)] == [False]


def test_the_log_is_shown_and_verified(capsys, monkeypatch, shop):
    add(capsys, monkeypatch, shop, "mei", "--role", "viewer")

    code, shown = run(capsys, monkeypatch, "audit", "show", "--dir", shop)
    assert (code, "user.add" in shown, "mei" in shown) == (0, True, True)

    code, said = run(capsys, monkeypatch, "audit", "verify", "--dir", shop)
    assert (code, said.strip()) == (0, "intact: 1 entries, 1 signed anchors, signed up to entry 1")


def test_a_changed_log_is_told_and_ends_with_code_one(capsys, monkeypatch, shop):
    add(capsys, monkeypatch, shop, "mei", "--role", "viewer")
    add(capsys, monkeypatch, shop, "li", "--role", "viewer")
    with open_site(shop).home.state.transaction() as transaction:
        transaction.run("delete from audit_log where number = 2")

    code, said = run(capsys, monkeypatch, "audit", "verify", "--dir", shop, "--json")
    told = json.loads(said)

    assert code == 1
    assert (told["intact"], told["fault"]["number"], told["fault"]["problem"]) == (
        False,
        2,
        "truncated",
    )
    assert (
        "CHANGED: first bad entry 2"
        in run(capsys, monkeypatch, "audit", "verify", "--dir", shop)[1]
    )


def test_a_copy_of_the_anchors_kept_elsewhere_can_be_used(capsys, monkeypatch, shop, tmp_path):
    add(capsys, monkeypatch, shop, "mei", "--role", "viewer")
    copy = tmp_path / "kept-elsewhere.jsonl"
    (shop / "audit-anchors.jsonl").rename(copy)

    assert run(capsys, monkeypatch, "audit", "verify", "--dir", shop)[0] == 1
    assert run(capsys, monkeypatch, "audit", "verify", "--dir", shop, "--anchors", copy)[0] == 0


def test_a_folder_that_is_neither_workspace_nor_demo_is_refused(tmp_path):
    with pytest.raises(NotReady, match="run: regulars init .* or: regulars demo --dir"):
        open_site(tmp_path)


def test_serve_adds_the_demo_user_once_and_answers(make_shop, tmp_path):
    make_shop.filled(tmp_path / "demo" / "twin")
    with open_site(tmp_path / "demo").home.state.transaction() as transaction:
        transaction.run("delete from users")
    words = ["serve", "--dir", str(tmp_path / "demo"), "--port", "0", "--demo-user"]
    code = f"from regulars.serve.cli.main import main; main({words!r})"
    running = subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        said = [running.stdout.readline(), running.stdout.readline()]
        password = re.search(r"Sign in as demo with the password (\S+)", said[0])[1]
        address = re.search(r"http://127\.0\.0\.1:(?!0/)\d+/", said[1])[0]
        with httpx.Client(base_url=address, timeout=60) as client:
            client.get("/sign-in")
            sent = {
                "name": "demo",
                "password": password,
                "csrf_token": client.cookies["regulars_form"],
            }

            assert client.get("/healthz").text == "ok"
            assert client.post("/sign-in", data=sent).status_code == 303
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(60)
    assert len(password) >= 16
    assert [user.name for user in list_users(open_site(tmp_path / "demo").home.state)] == ["demo"]


def test_a_customer_is_shown_and_erased_and_the_log_does_not_say_who(
    capsys, monkeypatch, shop, tmp_path
):
    state = open_app(shop).state
    gift = earn("gift/c001", "c001", 40, reason="gift")
    post_points(state, [gift], now=MAY)
    capsys.readouterr()

    with state.transaction() as opened:
        record(
            opened, actor="mei", action="tag.take", subject="c001", detail={"of": "c001"}, at=MAY
        )
    state.close()
    out = tmp_path / "copy"
    run(capsys, monkeypatch, "access", "c001", "--out", out, "--dir", shop)
    _, shown = run(capsys, monkeypatch, "access", "c001", "--json", "--dir", shop)
    _, dry = run(capsys, monkeypatch, "erase", "c001", "--dry-run", "--dir", shop)
    unsure, why = run(capsys, monkeypatch, "erase", "c001", "--dir", shop)
    code, erased = run(capsys, monkeypatch, "erase", "c001", "--yes", "--dir", shop)
    _, again = run(capsys, monkeypatch, "access", "c001", "--json", "--dir", shop)
    _, log = run(capsys, monkeypatch, "audit", "show", "--json", "--dir", shop)

    assert json.loads(shown)["rows"]["points_operations"][0]["key"] == "gift/c001"
    assert (unsure, "--yes" in why) == (2, True)
    assert (code, "points_lots" in erased, "left afterwards: nothing" in erased) == (0, True, True)
    assert "points_lots                        1 would go" in dry
    assert set(json.loads(again)["rows"]) == {"audit_log"}
    assert "customer.erase" in log
    assert "tag.take" in log
    assert "c001" not in log
    assert json.loads((out / "data.json").read_text("utf-8"))["ids"] == ["c001"]
    assert "gift/c001" in (out / "data.html").read_text("utf-8")
    assert (out / "data.json").stat().st_mode & 0o777 == 0o600
    code, twice = run(capsys, monkeypatch, "erase", "c001", "--yes", "--json", "--dir", shop)
    _, listed = run(capsys, monkeypatch, "requests", "--json", "--dir", shop)
    _, none = run(capsys, monkeypatch, "erase", "--resume", "--dir", shop)
    assert [one["request"] for one in json.loads(listed)] == [json.loads(twice)["request"]]
    assert "no erasure was interrupted" in none
    assert run(capsys, monkeypatch, "erase", "--yes", "--dir", shop)[0] == 2


def test_a_port_somebody_else_has_is_told(make_shop, tmp_path, capsys):
    make_shop.empty(tmp_path / "shop")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        cli.main(["serve", "--dir", str(tmp_path / "shop"), "--port", str(taken.getsockname()[1])])

    assert ended.value.code == 2
    assert "choose another with --port" in capsys.readouterr().err
