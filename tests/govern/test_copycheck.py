"""Copy review: dated rules, span-bound exemptions, evidence, names, decisions, rendered messages."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, UnknownName
from regulars.govern.copycheck import CatalogueName, Copy, Evidence, Severity
from regulars.govern.copycheck.evidence import read_evidence
from regulars.govern.copycheck.kept.service import (
    decide,
    keep_evidence,
    keep_names,
    kept_decisions,
    kept_evidence,
    kept_names,
)
from regulars.govern.copycheck.matching import Matcher
from regulars.govern.copycheck.rulebook.linting import compiled
from regulars.govern.copycheck.rulebook.loading import read_rulebook, rulebook
from regulars.govern.copycheck.service import (
    RenderedReview,
    known_in,
    rendered_text,
    review,
    review_rendered,
)
from regulars.govern.copycheck.text.normalise import normalise
from regulars.ports.channels import Message

AS_OF = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)
RANKING = Evidence(
    "r1",
    "ranking",
    "国内湿巾销量第一",
    "report 2025",
    "欧睿国际",
    "2025",
    "retail value, mainland",
    date(2027, 6, 30),
)
CLAIM = "据欧睿国际统计，2025年国内湿巾销量第一"


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    return SQLState(url)


def found(text, *, as_of=AS_OF, evidence=(), names=(), decisions=(), **about):
    return review(
        [Copy(text, **about)],
        as_of=as_of,
        evidence=evidence,
        catalogue=names,
        decisions=decisions,
    )


def rules(text, **about):
    return [one.rule for one in found(text, **about)]


@pytest.mark.parametrize("rule", rulebook().rules, ids=lambda rule: rule.rule_id)
def test_every_rule_says_its_law_article_day_and_suggestion_and_every_term_is_found(rule):
    matcher = Matcher([rule])

    assert rule.article
    assert rule.law.title["zh"]
    assert rule.effective_from >= date(1994, 1, 1)
    assert all(rule.suggestion[locale] for locale in ("zh", "en"))
    assert rule.terms or rule.forms or rule.requires
    assert [term for term in rule.terms if not matcher.hits(normalise(term))] == []


def test_a_rule_speaks_from_its_day_on_and_to_its_last():
    label = {"is_machine_made": True}
    green = {"market": "eu"}

    assert rules("毛衣上新", as_of=date(2025, 8, 31), **label) == []
    assert rules("毛衣上新", as_of=date(2025, 9, 1), **label) == ["T03"]
    assert rules("We offset every pair", as_of=date(2026, 9, 26), **green) == []
    assert "G02" in rules("We offset every pair", as_of=date(2026, 9, 27), **green)
    assert rules("全国最好的羽绒被", as_of=date(2015, 8, 31)) == []


def test_a_rule_that_ended_is_silent():
    rule = next(one for one in rulebook().rules if one.rule_id == "A01")
    ended = replace(rule, effective_to=date(2026, 1, 1))

    assert ended.in_force(date(2026, 1, 1))
    assert not ended.in_force(date(2026, 1, 2))


def test_an_exemption_counts_from_the_day_of_what_allows_it():
    before, after = date(2023, 2, 24), date(2023, 2, 25)

    assert rules("最好提前预约", as_of=before) == ["A02"]
    assert "may be relied on from 2023-02-25 only" in str(found("最好提前预约", as_of=before))
    assert rules("最好提前预约", as_of=after) == []


def test_a_finding_cites_article_and_day_and_says_why_no_exemption_held():
    [one] = found("最好提前预约，我们做的是最好的寿司")

    assert (one.text, one.rule, one.article, one.law) == (
        "最好",
        "A02",
        "9(3)",
        "中华人民共和国广告法",
    )
    assert one.effective_from == date(2015, 9, 1)
    assert one.span == (12, 14)
    advice = next(seen for seen in one.exemption_considered if seen.exemption == "advice")
    assert (advice.holds, advice.why) == (False, "'最好提前' does not cover this place")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("欢迎选购全国最好的羽绒被", ["最好"]),
        ("追求卓越，打造最专业的运动鞋", ["最专业"]),
        ("顾客第一，全国销量第一的火锅底料", ["全国销量第一"]),
        ("绿色款水杯，纯天然材料", ["纯天然"]),
        ("100%棉毛巾，去污100%有效", ["100%有效"]),
    ],
)
def test_a_polite_or_exempt_word_elsewhere_whitewashes_nothing(line, words):
    assert [one.text for one in found(line)] == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("最🔥强的吹风机", "最🔥强"),
        ("最 好 的面包", "最 好"),
        ("國家級大師", "國家級"),
        ("Ｎｏ．１ 奶酪", "Ｎｏ．１"),
        ("n0.1的坚果", "n0.1"),
        ("T0P1瑜伽裤", "T0P1"),
        ("No①猫砂", "No①"),
        ("dǐng jí 海鲜", "dǐng jí"),
        ("zui hao 的面包", "zui hao"),
        ("蕞强吸力", "蕞强"),
        ("嘴好的牛奶", "嘴好"),
        ("Ｚ高级的皮料", "Ｚ高级"),
        ("全网最\u200b低\u200b价", "全网最\u200b低\u200b价"),
        ("国，家，级品质", "国，家，级"),
        ("１００％有效", "１００％有效"),
    ],
)
def test_an_evasion_is_found_and_shown_as_it_was_written(line, words):
    [one] = [one for one in found(line) if one.severity.blocks]

    assert one.text == words
    assert line[slice(*one.span)] == words


def test_evidence_lifts_exactly_the_words_of_its_claim():
    assert found(CLAIM, evidence=[RANKING]) == []
    [other] = found(f"{CLAIM}，纸尿裤销量也第一", evidence=[RANKING])

    assert other.text == "销量也第一"
    assert other.severity is Severity.EVIDENCE


@pytest.mark.parametrize(
    ("change", "why", "severity"),
    [
        ({"valid_to": date(2026, 11, 29)}, "expired on 2026-11-29", Severity.BLOCK),
        ({"valid_to": None}, "incomplete: no valid_to", Severity.REVIEW),
        ({"institution": " "}, "incomplete: no institution", Severity.REVIEW),
        ({"product": "p2"}, "is about product p2, not p1", Severity.REVIEW),
    ],
)
def test_evidence_that_is_over_incomplete_or_about_something_else_lifts_nothing(
    change, why, severity
):
    [one] = found(CLAIM, evidence=[replace(RANKING, **change)], product="p1")

    assert (one.severity, one.evidence_id) == (severity, "r1")
    assert one.exemption_considered[0].why == why


def test_a_claim_that_names_source_and_period_goes_to_a_person():
    assert [one.severity for one in found(CLAIM)] == [Severity.REVIEW]
    assert [one.severity for one in found("国内湿巾销量第一")] == [Severity.EVIDENCE]


def test_a_proven_claim_whose_source_is_not_shown_is_a_notice():
    [one] = found("国内湿巾销量第一", evidence=[RANKING])

    assert one.severity is Severity.NOTICE


def test_a_name_lifts_what_stands_inside_it_and_a_bare_claim_needs_its_record():
    name = CatalogueName("顶级时光")

    assert found("顶级时光咖啡豆", names=[name]) == []
    assert rules("顶级时光，顶级咖啡豆", names=[name]) == ["A07"]
    assert rules("顶级", names=[CatalogueName("顶级")]) == ["A07"]
    assert found("顶级", names=[CatalogueName("顶级", "trademark", "10000001")]) == []


@pytest.mark.parametrize(
    ("text", "about", "wanted"),
    [
        ("周末八折", {"channel": "sms"}, ["T05-sms"]),
        ("【街角】周末八折", {"channel": "sms"}, ["T05-sms"]),
        ("【街角】周末八折，拒收请回复R", {"channel": "sms"}, []),
        ("验证码4821", {"channel": "sms", "is_marketing": False}, []),
        ("周末八折", {"channel": "email"}, ["T05-email"]),
        ("街角超市，客服电话400-820-0000，退订", {"channel": "email"}, []),
        ("周末八折", {"channel": "app"}, []),
        ("鱼油每日一粒", {"category": "health_food"}, ["M10"]),
        ("鱼油，本品不能代替药物", {"category": "health_food"}, []),
    ],
)
def test_what_a_channel_or_category_must_carry_is_asked_for(text, about, wanted):
    assert rules(text, **about) == wanted


def test_a_decision_counts_for_exactly_its_words_product_evidence_and_rule(state):
    [one] = found("送长辈首选", product="p1")
    decide(state, one, verdict="allow", reason="checked", actor="li", now=NOW, product="p1")
    said = kept_decisions(state)

    assert found("送长辈首选", product="p1", decisions=said) == []
    assert rules("送长辈首选", product="p2", decisions=said) == ["A10"]
    assert rules("送长辈首 选", product="p1", decisions=said) == ["A10"]
    changed = [replace(said[0], rule_version="0" * 12)]
    assert rules("送长辈首选", product="p1", decisions=changed) == ["A10"]


def test_a_refused_place_blocks_and_says_who_refused_it(state):
    [one] = found("王牌单品")
    assert one.severity is Severity.REVIEW
    decide(state, one, verdict="refuse", reason="no proof", actor="li", now=NOW)

    [again] = found("王牌单品", decisions=kept_decisions(state))
    assert again.severity is Severity.BLOCK
    assert again.exemption_considered[-1].why == "no proof"


def test_a_decision_needs_a_reason_a_known_verdict_and_words(state):
    [one] = found("送长辈首选")
    [missing] = found("周末八折", channel="sms")

    with pytest.raises(InputError, match="reason is empty"):
        decide(state, one, verdict="allow", reason=" ", actor="li", now=NOW)
    with pytest.raises(UnknownName):
        decide(state, one, verdict="maybe", reason="x", actor="li", now=NOW)
    with pytest.raises(InputError, match="something is missing"):
        decide(state, missing, verdict="allow", reason="x", actor="li", now=NOW)
    assert kept_decisions(state) == []


def test_evidence_and_names_are_kept_with_an_audit_entry_and_used_for_rendered_texts(state):
    keep_evidence(state, [RANKING], actor="mei", now=NOW)
    keep_evidence(state, [replace(RANKING, scope="all")], actor="mei", now=NOW)
    keep_names(state, [CatalogueName("顶级时光", "brand")], actor="mei", now=NOW)

    assert kept_evidence(state) == [replace(RANKING, scope="all")]
    assert kept_names(state) == [CatalogueName("顶级时光", "brand")]
    assert review_rendered(state, [Copy(CLAIM), Copy("顶级时光")], as_of=AS_OF) == []
    assert known_in(state).decisions == ()
    with state.reading() as reading:
        rows = reading.all("select action from audit_log order by number")
    assert [r["action"] for r in rows] == ["copy_evidence.keep"] * 2 + ["copy_name.keep"]


def test_evidence_that_ended_stops_a_message_at_the_hour_it_is_sent(state):
    class Written:
        channel, message_class = "app", "marketing"

    keep_evidence(state, [RANKING], actor="mei", now=NOW)
    days = iter([date(2027, 6, 30), date(2027, 7, 1), date(2027, 7, 1)])
    check = RenderedReview(state, today=lambda: next(days))
    message = Message("", text=CLAIM)

    assert check(Written(), [message, Message("", text="明天见")]) == ["", ""]
    assert check(Written(), [message, message]) == ["A05 国内湿巾销量第一"] * 2
    assert check(Written(), [message, Message("", text="明天见")]) == ["A05 国内湿巾销量第一", ""]


def test_a_claim_put_together_from_parts_of_a_message_is_read_as_the_customer_reads_it():
    message = Message(
        "",
        subject="上新",
        text="你好",
        html='<style>.a{}</style><p>你好</p><p>全国最<b>好</b></p><img alt="顶级茶">',
        parameters={"name": "独家"},
    )

    assert rendered_text(message) == "上新\n你好\n全国最好\n顶级茶\n独家"
    assert rules(rendered_text(message)) == ["A02", "A07", "A10"]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("最.*好", "repeats without bound"),
        ("(?:最{1,9}){1,9}", "write it shorter or flat"),
        ("最{0,999}", "write it shorter or flat"),
        ("最，好", "which no normal text has"),
        ("(最", "is no pattern"),
    ],
)
def test_a_pattern_that_is_not_linear_or_could_not_match_is_refused(pattern, says):
    with pytest.raises(InputError, match=says):
        compiled(pattern, "A99")


LAWS = 'a = {zh = "法", en = "Law", effective_from = 2020-01-01, source = "x"}'
RULE = """
[[rule]]
id = "A99"
severity = "block"
zh = "甲"
en = "a"
law = "a"
article = "1"
suggestion_zh = "改"
suggestion_en = "change"
"""


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('terms = ["國家"]', "not in normal form; write '国家'"),
        ('satisfied_by = ["x"]', "nothing elsewhere in the text may settle it"),
        ('colour = "red"', "A99 has 'colour'"),
        ('exempt = ["polite"]', "no shared exemption named 'polite'"),
        (RULE, "two rules are called A99"),
    ],
)
def test_a_rule_that_could_not_be_relied_on_is_refused(more, says):
    with pytest.raises(InputError, match=says):
        read_rulebook({"laws": LAWS, "family": RULE + more})
    with pytest.raises(UnknownName, match="law"):
        read_rulebook({"laws": LAWS, "family": RULE.replace('law = "a"', 'law = "b"')})


def test_the_version_of_a_rule_follows_its_words():
    def version(more):
        [rule] = read_rulebook({"laws": LAWS, "family": RULE + more}).rules
        return rule.version

    assert version('terms = ["甲"]') == version('terms = ["甲"]')
    assert version('terms = ["甲"]') != version('terms = ["乙"]')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[e1]\nkind = 'ranking'", "has no 'claim'"),
        ("[e1]\nkind = 'ranking'\nclaim = 'x'\ncolour = 1", "has 'colour'"),
        ("[e1]\nkind = 'ranking'\nclaim = 'x'\nvalid_to = 'soon'", "write YYYY-MM-DD"),
        ("[e1", "no TOML or JSON"),
    ],
)
def test_a_file_of_evidence_that_cannot_be_used_is_refused(tmp_path, text, says):
    path = tmp_path / "evidence.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InputError, match=says):
        read_evidence(path)


def test_evidence_is_read_from_json_too(tmp_path):
    path = tmp_path / "evidence.json"
    path.write_text(
        '[{"evidence_id": "e1", "kind": "ranking", "claim": "x", "valid_to": "2027-01-01"}]',
        encoding="utf-8",
    )

    assert read_evidence(path) == ([Evidence("e1", "ranking", "x", valid_to=date(2027, 1, 1))], [])


@pytest.mark.parametrize(
    "line",
    [
        "中国歌手巡演，凭票根打折",
        "冠军旗舰店搬到三楼",
        "室内供暖已开，进店不冷",
        "门店交通便利，地铁直达",
        "社区教育发展基金义卖",
        "如发生发货延迟，客服会联系您",
        "安全能否再提升，请您提意见",
        "欢迎积极品尝并打分",
        "我们会确保过程可追溯",
        "环保分类垃圾桶使用说明见箱盖",
        "学校召开运动会，饮料成箱配送",
        "中介公开房源，本店不参与",
        "请小心脚下注意台阶",
        "特色情人节套餐两人份",
        "所有机型均可以旧换新",
        "益智玩具满两件九折",
        "延时配送，雨天敬请谅解",
        "中国礼盒包装可选红色",
        "招财务主管一名",
        "历史低谷期的故事，请听播客",
        "彩金项链按克计价",
        "床上用品四件套，全棉",
        "周末开放，排队请往里走",
        "新品首发，第一件原价",
        "专治各种不开心的猫咪咖啡馆",
    ],
)
def test_an_ordinary_word_that_holds_a_term_is_left_alone(line):
    assert [one for one in found(line) if one.severity.blocks] == []
