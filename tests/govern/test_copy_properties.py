"""What holds of copy review whatever the text is."""

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regulars.govern.copycheck import Copy
from regulars.govern.copycheck.exemptions import NEAR
from regulars.govern.copycheck.reviewing import reviewer
from regulars.govern.copycheck.text.normalise import normalise

RULES = reviewer(date(2026, 11, 30))
EVASIVE = " .·-_*~|/　\u200b‍️🔥💎★♥"
MARKS = "，。！？；：、,.!?()（）【】“”《》%+@#\n"
WORDS = ["最", "好", "强", "国家级", "第一", "顶级", "唯一", "100%", "有效", "治疗", "失眠", "环保",
         "原价", "199", "元", "No", "1", "zui", "hao", "欢迎", "的", "提前", "國", "級", "蕞", "①"]  # fmt: skip
TEXT = st.lists(
    st.one_of(st.sampled_from(WORDS), st.sampled_from(EVASIVE + MARKS), st.characters()),
    max_size=24,
).map("".join)
TERMS = ["国家级", "最先进", "顶级", "绝无仅有", "世界级", "稳赚不赔", "零副作用", "史无前例"]
TRADITIONAL = str.maketrans("国级进绝无仅界稳赚赔", "國級進絕無僅界穩賺賠")
VIOLATING = ["全国最好的羽绒被", "顶级牛排", "全网最低价", "治愈率98%", "保本理财", "开光手串",
             "纯天然面霜", "唯一正宗", "史上最强", "去污100%有效", "原价399元", "增强免疫力"]  # fmt: skip
EXEMPT = ["最好提前预约", "最佳赏味期三天", "欢迎选购", "追求卓越", "顾客第一", "第一步扫码",
          "100%棉", "国家级自然保护区", "顶级域名", "唯一会员号", "不能代替药物", "玻璃开光",
          "绿色款", "没有最好只有更好", "厂商建议零售价", "理财有风险", "最低消费", "首选项",
          "史上最大暴雨", "绝对值", "终身会员", "请咨询医生", "我们不是唯一", "领先一步"]  # fmt: skip


@given(TEXT)
@settings(max_examples=400, deadline=None)
@example("((好))最，，好 1..2 a@b")
@example("甲，乙，丙、丁、戊")
def test_normal_form_is_normal_already(text):
    view = normalise(text)

    assert normalise(view.text).text == view.text
    assert len(view.text) == len(view.starts) == len(view.ends)
    assert view.starts == sorted(view.starts)


@given(TEXT)
@settings(max_examples=400, deadline=None)
@example("\r\n最好\n")
def test_the_place_of_every_finding_lies_in_the_text_and_says_what_was_found(text):
    outcome = RULES.review(Copy(text))

    for one in (*outcome.findings, *outcome.lifted):
        start, end = one.span
        assert 0 <= start <= end <= len(text)
        assert text[start:end] == one.text


@given(
    st.sampled_from(TERMS),
    st.lists(st.text(alphabet=EVASIVE, max_size=3), min_size=4, max_size=4),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_whatever_splits_a_term_it_is_found_where_it_was_written(term, splits, is_traditional):
    letters = list(term.translate(TRADITIONAL) if is_traditional else term)
    written = "".join(a + b for a, b in zip(letters, splits, strict=False)) + "".join(letters[4:])
    text = f"本店{written}，欢迎光临"

    places = [one.text for one in RULES.review(Copy(text)).findings]

    assert any(normalise(place).text.startswith(term) for place in places), text


@given(st.sampled_from(VIOLATING), st.lists(st.sampled_from(EXEMPT), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_exempt_words_elsewhere_never_remove_a_finding(violating, exempt):
    plain = {
        (one.rule, one.text)
        for one in RULES.review(Copy(violating)).findings
        if one.severity.blocks
    }
    assert plain

    for text in (
        "，".join([*exempt, violating]),
        "，".join([violating, *exempt]),
        "。".join([*exempt, violating, *exempt]),
    ):
        now = {(one.rule, one.text) for one in RULES.review(Copy(text)).findings}
        assert plain <= now, text


@pytest.mark.parametrize("letters", ["最好", "第一", "100%", "治疗失眠", "，", "。最", "no1", "(("])
def test_a_long_text_of_one_thing_is_read_in_steps_that_grow_with_its_length(letters):
    """Counted, not timed: no rule looks further around a place than it says."""
    outcome = RULES.review(Copy(letters * 2000))

    found = (*outcome.findings, *outcome.lifted)
    assert all(len(seen.why) < 4 * NEAR + 120 for one in found for seen in one.exemption_considered)
