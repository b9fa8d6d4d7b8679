"""The scorecard on the command line and over HTTP: one set of numbers, rows masked by role."""

import json
from threading import Event, Thread

import pytest

from regulars.adjust.reporting import files
from regulars.errors import NotReady
from regulars.serve.cli.main import main

UNTIL = "2026-03-01"


@pytest.fixture(scope="module")
def server(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scorecard") / "shop"
    make_shop.filled(folder)
    with serve(folder) as running:
        running.folder = folder
        yield running


def said(capsys, folder, *words):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--dir", str(folder)])
    told = capsys.readouterr()
    assert ended.value.code in {0, None}, told.err
    return told.out


def get(server, role, path, *, status=200):
    answer = server.client(role).get(path, headers={"accept-language": "en"})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_command_line_and_http_tell_the_same_numbers(server, capsys):
    path = f"/api/measure/scorecard?until={UNTIL}"
    over_http = get(server, "viewer", path)

    in_shell = said(capsys, server.folder, "measure", "scorecard", "--until", UNTIL, "--json")
    assert json.loads(in_shell) == over_http
    known = {one["key"]: one["value"] for one in over_http["indicators"]}
    assert known["active_customers"] == 60
    assert known["nps"] is None


def test_an_unknown_number_says_what_to_do_in_the_shell(server, capsys):
    shown = said(capsys, server.folder, "measure", "scorecard", "--until", UNTIL)

    line = next(line for line in shown.splitlines() if line.startswith("nps"))
    assert line.split()[1] == "unknown"
    assert "Ask customers" in line


def test_rows_make_the_number_and_are_masked_below_analyst(server, capsys):
    path = f"/api/measure/scorecard/active_customers/rows?until={UNTIL}&limit=1000"
    analyst, viewer = (get(server, role, path)["rows"] for role in ("analyst", "viewer"))

    assert sum(row["amount"] for row in analyst) == 60
    assert {row["customer_id"] for row in analyst} >= {"c001"}
    assert [row["amount"] for row in viewer] == [row["amount"] for row in analyst]
    assert {row["customer_id"] for row in viewer} == {"****"}
    words = ("measure", "scorecard", "--until", UNTIL, "--rows", "active_customers")
    shown = said(capsys, server.folder, *words, "--limit", "1000", "--json")
    assert json.loads(shown)["rows"] == analyst


def test_a_day_that_is_not_over_and_an_unknown_indicator_are_refused(server):
    late = get(server, "viewer", "/api/measure/scorecard?until=2999-01-01", status=400)
    get(server, "viewer", "/api/measure/scorecard/sales/rows", status=404)

    assert "is not over yet; the last whole day is" in late["error"]["message"]


def test_one_report_is_printed_at_a_time_and_the_next_is_told_when_to_come_back(
    server, monkeypatch
):
    begun, may_end, answers = Event(), Event(), []

    def slowly(_html):
        begun.set()
        assert may_end.wait(20)
        return b"%PDF"

    monkeypatch.setattr(files, "print_page", slowly)
    path = "/api/measure/report?week=2026-W09&format=pdf"
    english = {"accept-language": "en"}
    clients = [server.client("viewer") for _ in range(2)]
    first = Thread(target=lambda: answers.append(clients[0].get(path, headers=english)))
    first.start()
    assert begun.wait(20)

    refused = clients[1].get(path, headers=english)
    html = clients[1].get(path.replace("pdf", "html"), headers=english)
    may_end.set()
    first.join(20)
    after = clients[1].get(path, headers=english)

    assert (refused.status_code, int(refused.headers["retry-after"])) == (429, 20)
    assert "take it as HTML" in refused.json()["error"]["message"]
    assert [one.status_code for one in (html, *answers, after)] == [200, 200, 200]


def test_the_printer_is_free_again_after_it_failed(server, monkeypatch):
    def broken(_html):
        raise NotReady("no Chromium")

    monkeypatch.setattr(files, "print_page", broken)
    path = "/api/measure/report?week=2026-W09&format=pdf"

    codes = [server.client("viewer").get(path).status_code for _ in range(2)]

    assert codes == [503, 503]


def test_a_number_whose_data_ends_early_says_so_beside_it(server, capsys):
    page = server.client("viewer").get(
        "/scorecard?until=2026-03-01&days=28", headers={"accept-language": "en"}
    )
    [revenue] = [
        one
        for one in get(server, "viewer", f"/api/measure/scorecard?until={UNTIL}")["indicators"]
        if one["key"] == "revenue"
    ]

    assert revenue["data_ends"] < "2026-03-01"
    assert revenue["growth"] is None
    assert f"data ends {revenue['data_ends']}" in page.text
    shown = said(capsys, server.folder, "measure", "scorecard", "--until", UNTIL)
    assert f"data ends {revenue['data_ends']}, not compared" in shown


def test_the_page_begins_with_the_newest_day_that_has_orders(server):
    page = server.client("viewer").get("/scorecard", headers={"accept-language": "en"}).text

    assert 'type="date" value="2026-02-22"' in page
    assert "data ends" not in page
