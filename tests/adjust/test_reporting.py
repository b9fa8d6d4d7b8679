"""The report: the numbers of the workspace, the same bytes, nothing loaded, printed where it can be."""

import re
import shutil
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.serve.conftest import NOW, filled_shop

from regulars.adjust.reporting import printing
from regulars.adjust.reporting.content import next_tasks
from regulars.adjust.reporting.page import LOCALES, report_page, words_in
from regulars.adjust.reporting.service import gather
from regulars.adjust.reporting.span import last_week, span_of
from regulars.errors import InputError, NotReady
from regulars.serve.cli.main import main

WEEK = "2026-W09"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return filled_shop(tmp_path_factory.mktemp("report") / "shop")


def content_of(app, name=WEEK):
    return gather(app.engine, app.state, app.settings, name=name, period=span_of(name))


def text_of(page):
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def run(capsys, app, *words):
    with pytest.raises(SystemExit) as ended:
        main(["measure", "report", *words, "--dir", str(app.folder)])
    said = capsys.readouterr()
    return ended.value.code, said.out + said.err


def test_the_page_says_what_the_tables_say(app):
    content = content_of(app)
    page = text_of(report_page(content, locale="en"))
    [paid] = app.engine.rows(
        app.engine.table("orders")
        .filter(lambda t: t.business_date.between(date(2026, 2, 23), date(2026, 3, 1)))
        .agg(total=lambda t: t.total.sum(), orders=lambda t: t.count())
    )  # fmt: skip

    assert content.turns == (2,)
    assert paid["orders"] == 0
    assert content.card.indicators["revenue"].now.value is None
    assert "Report 2026-W09" in page
    assert "2026-02-23 to 2026-03-01" in page
    for one in content.effects:
        assert f"{one.treated:,} / {one.control:,}" in page
    assert "Net promoter score is unknown. Ask customers" in page


def test_the_same_content_gives_the_same_bytes_and_loads_nothing(app):
    for locale in LOCALES:
        page, again = (report_page(content_of(app), locale=locale) for _ in range(2))

        assert page == again
        own = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
        assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', own) == []
        assert "2999" not in own


def test_a_month_is_a_report_too(app):
    page = text_of(report_page(content_of(app, "2026-02"), locale="zh-CN"))

    assert "2026-02-01 至 2026-02-28" in page
    assert "店铺表现如何" in page


def test_every_task_comes_of_a_row(app):
    content = content_of(app)
    held = replace(content, held=({"channel": "sms", "until_turn": 9, "reason": "broken"},))

    kinds = [task.kind for task in next_tasks(held, "en")]

    assert kinds[0] == "channel"
    unknown = sum(bool(one.now.why) for one in content.card.indicators.values())
    assert kinds.count("data") == unknown > 0


def test_a_report_written_twice_is_the_same_file(app, capsys, tmp_path):
    files = [tmp_path / f"{name}.html" for name in "ab"]

    ends = [run(capsys, app, "--week", WEEK, "--out", str(file))[0] for file in files]

    assert ends == [0, 0]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_report_is_printed_as_pdf(app, capsys, tmp_path):
    file = tmp_path / "report.pdf"

    code, said = run(capsys, app, "--week", WEEK, "--out", str(file))

    assert (code, f"report of {WEEK}" in said) == (0, True)
    printed = file.read_bytes()
    assert printed.startswith(b"%PDF")
    assert len(printed) > 20_000


def test_without_a_browser_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    with pytest.raises(NotReady, match=r"no Chromium to print with .* apt-get install chromium"):
        printing.print_page("<p>")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--week", "2026-W60", "--out", "a.html"), "2026-W60 is no week or month"),
        (("--week", "March", "--out", "a.html"), "give a week as 2026-W10 or a month as 2026-03"),
        (("--week", "2999-W01", "--out", "a.html"), "which is not over yet"),
        (("--out", "a.docx"), "give .html or .pdf"),
    ],
)
def test_a_wrong_ask_says_what_is_wanted(app, capsys, words, says):
    code, said = run(capsys, app, *words)

    assert code not in {0, None}
    assert says in re.sub(r"\s+", " ", said)


def test_weeks_and_months_are_those_of_the_calendar():
    assert last_week(NOW.date() - timedelta(days=1)) == "2026-W09"
    assert [span_of(f"2026-{month:02d}").days for month in range(1, 13)] == [
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
    ]  # fmt: skip
    with pytest.raises(InputError, match="2026-13 is no week or month"):
        span_of("2026-13")


def test_both_languages_say_the_same_sentences():
    english, chinese = (words_in(locale) for locale in LOCALES)

    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        filled, other = (set(re.findall(r"\{\w+\}", one)) for one in (sentence, chinese[key]))
        assert filled == other, key
