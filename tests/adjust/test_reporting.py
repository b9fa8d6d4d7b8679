"""The report: the numbers of the workspace, the same bytes, nothing loaded, printed where it can be."""

import io
import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from openpyxl import load_workbook
from tests.serve.conftest import NOW, filled_shop, put

from regulars.adjust.reporting import printing
from regulars.adjust.reporting.content import next_tasks
from regulars.adjust.reporting.page import LOCALES, report_page, words_in
from regulars.adjust.reporting.service import gather
from regulars.adjust.reporting.span import last_week, span_of
from regulars.adjust.reporting.workbook import report_workbook
from regulars.app import open_app
from regulars.decide.budget.curves import Cell
from regulars.decide.budget.obeying.service import CellLimit, follow, limit_cell
from regulars.decide.budget.planning import Guards
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


def alert(channel, kind, gravity, *, seen, usual, low, high):
    return {
        "channel": channel, "kind": kind, "gravity": gravity, "share": seen, "usual": usual,
        "low": low, "high": high,
    }  # fmt: skip


ALERTS = (
    alert("sms", "cost", "broken", seen=0.11, usual=0.05, low=0.04, high=0.06),
    alert("*", "effect", "worse", seen=-1.2, usual=2.0, low=1.0, high=3.0),
    alert("app", "delivered", "worse", seen=0.912, usual=0.97, low=0.95, high=0.99),
)


@pytest.mark.parametrize(
    ("locale", "says"),
    [
        (
            "en",
            (
                "SMS: cost per contact 0.110 CNY, usually 0.050 CNY (0.040 CNY to 0.060 CNY): broken",
                "all channels together: margin caused per contact −1.200 CNY, usually +2.000 CNY",
                "App push: delivered 91.2%, usually 97.0% (95.0% to 99.0%): worse than usual",
                "SMS is left alone until turn 9 (contacts cost more than twice as much).",
                "Look at channel SMS:",
                "WeCom is left alone until turn 8 (stocktaking).",
            ),
        ),
        (
            "zh-CN",
            (
                "短信：每次触达成本 0.110 CNY，通常 0.050 CNY（0.040 CNY 至 0.060 CNY）：故障",
                "全部渠道合计：每次触达带来的毛利 −1.200 CNY，通常 +2.000 CNY",
                "App 推送：送达率 91.2%，通常 97.0%（95.0% 至 99.0%）：差于平时",
                "短信停用至第 9 轮（触达成本涨到两倍以上）。",
                "检查渠道短信：",
                "企业微信停用至第 8 轮（stocktaking）。",
            ),
        ),
    ],
)
def test_alerts_are_told_in_their_unit_and_in_the_words_of_the_reader(app, locale, says):
    held = (
        {"channel": "sms", "until_turn": 9, "reason": "cost broken"},
        {"channel": "wecom", "until_turn": 8, "reason": "stocktaking"},
    )
    content = replace(content_of(app), alerts=ALERTS, held=held)

    page = text_of(report_page(content, locale=locale))

    assert [one for one in says if one not in page] == []
    assert "11.0%" not in page
    assert "120.0%" not in page


def test_beliefs_are_told_as_orders_and_offers_by_their_name(app):
    moved = {
        "subject": "ten:sms", "offer_id": "ten", "channel": "sms", "before": 0.02,
        "after": 0.031, "rests": [2, 5],
    }  # fmt: skip
    content = replace(content_of(app), learned=(moved,), offer_names={"ten": "十元券"})

    chinese, english = (text_of(report_page(content, locale=one)) for one in ("zh-CN", "en"))

    assert "十元券 / 短信 0.020 0.031 第 2 轮, 第 5 轮" in chinese
    assert "每次触达的订单，现在" in chinese
    assert "Orders one contact causes" in english
    assert "Orders per contact, now" in english


def effects(segment, *pairs):
    """Measured points of one cell: spend and margin caused, by turn."""
    return [
        {
            "measured_turn": turn, "segment": segment, "channel": "sms", "offer_id": "ten",
            "treated": 100, "expected": 100.0, "status": "ok", "spend": spend, "effect": effect,
            "standard_error": 20.0, "most": 900.0,
        }
        for turn, (spend, effect) in enumerate(pairs, start=1)
    ]  # fmt: skip


@pytest.fixture
def measured(app, tmp_path):
    """Give the shop with two cells that were measured."""
    shutil.copytree(app.folder, tmp_path / "shop")
    shop = open_app(tmp_path / "shop")
    cells = [
        *effects("loyal", (100.0, 260.0), (150.0, 340.0)),
        *effects("new", (80.0, 90.0), (90.0, 100.0)),
    ]
    put(shop, "cell_effects", cells, turn=2)
    return shop


BEFORE = datetime(2026, 2, 26, tzinfo=UTC)
LOYAL = Cell("loyal", "sms", "ten")


def test_the_plan_keeps_within_what_people_and_the_evidence_allow(measured):
    free = content_of(measured).plan.plan
    limit = CellLimit(LOYAL, None, Decimal(60), "contract", "ann")
    limit_cell(measured.state, limit, now=BEFORE)
    put(measured, "parameters", [{"name": "spend_share", "value": 0.5}], turn=2)
    follow(measured.state, Guards(reserve=0.3), why="cautious", actor="ann", now=BEFORE)

    content = content_of(measured)

    spend = {one.cell: one.spend for one in content.plan.plan.cells}
    assert {one.cell: one.spend for one in free.cells}[LOYAL] > 60
    assert spend[LOYAL] <= 60
    assert content.plan.plan.budget == free.budget / 2
    assert content.plan.plan.reserve == pytest.approx(0.3 * free.budget / 2)
    [task] = [one for one in next_tasks(content, "en") if one.parts.get("cell") == LOYAL]
    assert task.kind == "less"


def test_while_turns_keep_to_the_plan_of_a_turn_nothing_else_is_proposed(measured):
    said = {"why": "agreed", "actor": "ann", "now": BEFORE}
    follow(measured.state, Guards(), **said, of_turn=1, planned=[1])

    content = content_of(measured)

    assert {"more", "less", "test"} & {one.kind for one in next_tasks(content, "en")} == set()
    page = text_of(report_page(content, locale="en"))
    assert "Turns keep to the plan of turn 1, so nothing else is proposed." in page


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
        (("--week", "2026-W60", "--out", "a.html"), "2026-W60 is no week, month, quarter"),
        (("--week", "March", "--out", "a.html"), "a quarter as 2026-Q1 or a year as 2026"),
        (("--week", "2999-W01", "--out", "a.html"), "which is not over yet"),
        (("--out", "a.docx"), "give .html, .pdf or .xlsx"),
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
    with pytest.raises(InputError, match="2026-13 is no week, month"):
        span_of("2026-13")


def test_quarters_and_years_are_those_of_the_calendar():
    assert [span_of(f"2024-Q{number}").days for number in (1, 2, 3, 4)] == [91, 91, 92, 92]
    assert [span_of(year).days for year in ("2024", "2026")] == [366, 365]
    assert (span_of("2026-Q3").first, span_of("2026-Q3").last) == (
        date(2026, 7, 1),
        date(2026, 9, 30),
    )
    for wrong in ("2026-Q5", "2026-Q0", "26", "2026-3"):
        with pytest.raises(InputError, match="is no week, month, quarter or year"):
            span_of(wrong)


def test_the_workbook_holds_the_tables_of_the_page_as_numbers_and_no_formula(app):
    content = content_of(app, "2026-02")
    content = replace(content, offer_names={**content.offer_names, "new": "=1+1"})

    first, again = (report_workbook(content, locale="zh-CN") for _ in range(2))
    book = load_workbook(io.BytesIO(first))

    assert first == again
    assert book.sheetnames == ["记分卡", "效果", "资金", "计划", "所学", "下一步"]
    rows = {row[0]: row[1:] for row in book["记分卡"].iter_rows(min_row=2, values_only=True)}
    basket = content.card.indicators["basket"].now
    assert rows["客单价"][:3] == pytest.approx((basket.value, basket.low, basket.high))
    assert rows["营收"][1:3] == (None, None)
    effects = list(book["效果"].iter_rows(min_row=2, values_only=True))
    assert [row[4:6] for row in effects[: len(content.effects)]] == [
        (one.treated, one.control) for one in content.effects
    ]
    spent = {row[1]: row[2] for row in book["资金"].iter_rows(min_row=2, values_only=True)}
    assert sum(spent) == sum(contacts for contacts, _cost in content.spent.values())
    assert not [
        cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"
    ]
    assert len(list(book["下一步"].iter_rows(min_row=2))) == len(next_tasks(content, "zh-CN"))


def test_a_quarter_comes_as_a_workbook_from_the_command(app, capsys, tmp_path):
    file = tmp_path / "quarter.xlsx"

    code, said = run(capsys, app, "--week", "2025-Q4", "--out", str(file))

    assert (code, "report of 2025-Q4" in said) == (0, True)
    assert load_workbook(file).sheetnames[0] == "Scorecard"


def test_both_languages_say_the_same_sentences():
    english, chinese = (words_in(locale) for locale in LOCALES)

    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        filled, other = (set(re.findall(r"\{\w+\}", one)) for one in (sentence, chinese[key]))
        assert filled == other, key
