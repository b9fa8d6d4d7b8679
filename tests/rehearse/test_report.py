"""The report: its contract, its bytes, its words, and what a reader sees first."""

import json
import re
from copy import deepcopy
from decimal import Decimal
from html import unescape
from string import Formatter

import numpy as np
import pytest

from regulars.errors import InputError, Permanent, UnknownName
from regulars.rehearse.report import check_report, write_report
from regulars.rehearse.report.standing import all_turns, changes, covers, reasons, standings
from regulars.rehearse.report.words import LOCALES, words_in


def written(folder, report, locale="en"):
    write_report(folder, report, locale=locale)
    return (folder / "report.json").read_text("utf-8"), (folder / "report.html").read_text("utf-8")


def without_script(page):
    return re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)


def test_the_json_holds_what_was_given_and_keys_of_others_too(tmp_path, report):
    text, _ = written(tmp_path, report | {"later": [1]})

    assert json.loads(text) == report | {"later": [1]}


def test_equal_reports_give_equal_bytes_whatever_their_order_and_number_types(tmp_path, report):
    first = written(tmp_path, report)
    shuffled = dict(reversed(report.items()))
    shuffled["turns"] = deepcopy(report["turns"])
    shuffled["turns"][0]["sent"] = np.int64(40)
    shuffled["turns"][0]["spend"] = Decimal("20.5")
    shuffled["turns"][0]["truth"] = np.float64(90.0) * (1 + 1e-15)

    assert written(tmp_path, shuffled) == first


def test_only_timing_may_change_and_the_page_does_not_show_it(tmp_path, report):
    text, page = written(tmp_path, report)
    later, same = written(tmp_path, report | {"timing": {"total_seconds": 99.0}})

    assert later != text
    assert same == page


def test_a_number_that_is_none_becomes_empty(tmp_path, report):
    report["turns"][1]["effect"]["estimate"] = float("nan")

    text, _ = written(tmp_path, report)

    assert json.loads(text)["turns"][1]["effect"]["estimate"] is None


def test_a_lost_customer_is_found(report):
    report["turns"][2]["sent"] -= 1

    with pytest.raises(InputError, match="turn 3 counts 100 eligible customers but 99 fates"):
        check_report(report)


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        ("turns", "turns"),
        ("programme", "programme"),
        ("policies", "policies"),
        ("timing", "timing"),
    ],
)
def test_a_report_without_a_promised_part_is_refused(report, part, hint):
    del report[part]

    with pytest.raises(InputError, match=hint):
        check_report(report)


def test_a_wrong_type_is_named_with_its_place(report):
    report["turns"][0]["spend"] = "much"

    with pytest.raises(InputError, match=r"\$\.turns\[0\]\.spend"):
        check_report(report)


def test_real_parts_may_be_left_out(tmp_path, report):
    for part in ("collect", "backtest", "reality_check", "moments", "adjustments", "predictions"):
        del report[part]

    _, page = written(tmp_path, report)

    assert words_in("en")["skipped_real"] in page
    assert "reality_check" not in without_script(page)


def test_a_programme_that_could_not_be_measured_is_said_to_be_so(tmp_path, report):
    empty = {"estimate": None, "low": None, "high": None, "mde": None, "status": "too_few"}
    report["programme"] |= empty

    _, page = written(tmp_path, report)

    said = re.search(r'class="said">([^<]*)<', without_script(page))
    assert said[1] == words_in("en")["not_read_too_few"]


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path, report):
    with pytest.raises(Permanent, match="check free space"):
        write_report(tmp_path / "absent", report, locale="en")


def test_an_unknown_language_lists_the_known_ones(tmp_path, report):
    with pytest.raises(UnknownName, match="en, zh-CN"):
        write_report(tmp_path, report, locale="fr")


def test_both_languages_say_the_same_things():
    fields = {
        locale: {
            key: sorted(name for _, name, _, _ in Formatter().parse(text) if name)
            for key, text in words_in(locale).items()
        }
        for locale in LOCALES
    }

    assert fields["en"] == fields["zh-CN"]
    assert all(text.strip() for locale in LOCALES for text in words_in(locale).values())


def test_the_loop_is_judged_by_the_last_turns_against_nobody(report):
    found = {one.name: one for one in standings(check_report(report))}

    assert [one.name for one in standings(check_report(report))] == [
        "oracle", "informed", "loop", "everybody",
    ]  # fmt: skip
    assert found["loop"].total == 90.0
    assert found["loop"].share_of_informed == pytest.approx(0.6)
    assert found["loop"].share_of_oracle == pytest.approx(1 / 3)
    assert found["everybody"].last == -20.0
    assert found["loop"].contacts == 6


def test_only_the_last_four_turns_are_compared(report):
    for run in report["policies"].values():
        run["margin_by_turn"] = [5000.0, *run["margin_by_turn"], run["margin_by_turn"][-1]]
    report["policies"]["loop"]["margin_by_turn"][0] = 9999.0

    [loop] = [one for one in standings(check_report(report)) if one.name == "loop"]

    assert loop.last == (0 + 30 + 60 + 60) / 4


def test_turns_that_were_measured_are_added_up_with_their_truths(report):
    pooled, truth = all_turns(check_report(report)["turns"])

    assert (pooled.turns, pooled.estimate, truth) == (2, 150.0, 490.0)
    assert [covers(turn) for turn in report["turns"]] == [True, None, False]


def test_reasons_are_counted_over_all_turns_the_most_frequent_first(report):
    assert reasons(report["turns"]) == [
        ("skipped", "frequency_cap", 36), ("failed", "refused", 12), ("skipped", "odd_<reason>", 9),
    ]  # fmt: skip


def test_changes_run_from_the_first_to_the_last_value(report):
    one, two = changes(report["adjustments"])

    assert (one.subject, one.times, one.first, one.last) == ("effect.news:sms", 1, 0.1, 0.2)
    assert (two.subject, two.times, two.first, two.last) == ("spend_share", 2, None, 0.5)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_page_says_what_is_real_what_is_simulated_and_what_is_not_claimed(
    tmp_path, report, locale
):
    _, page = written(tmp_path, report, locale)
    words, text = words_in(locale), unescape(without_script(page))

    assert f'<html lang="{locale}">' in text
    for key in ("real", "simulated", "not_1", "not_3", "programme_claims", "claims_none"):
        assert words[key] in text
    for figure in ("60%", "33%", "7 / 8", "1 / 2", "$165.25", "$12,345.67", "¥310"):
        assert figure in text


def test_names_from_files_cannot_become_markup(tmp_path, report):
    report["predictions"][0]["campaign_id"] = "*"
    report["adjustments"][0]["subject"] = "</script><b>"
    report["policies"]["</script><b>"] = report["policies"]["loop"]

    _, page = written(tmp_path, report)

    assert "odd &lt;reason&gt;" in page
    assert "orders &lt;a contact&gt; adds" in page
    assert "<b>" not in without_script(page)


def test_the_page_loads_nothing(tmp_path, report):
    _, page = written(tmp_path, report)

    loads = re.findall(r"<(?:link|img|iframe)[^>]*(?:src|href)=\"([^\"]*)\"", without_script(page))
    assert loads == ["data:,"]
    assert re.findall(r"<script[^>]*\bsrc=", page) == []
    assert "@import" not in page
