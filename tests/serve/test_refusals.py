"""A refusal reaches a page in the reader's language; a sentence nobody translated is marked."""

import ast
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, Field, ValidationError
from tests.measure.kept_experiments import GIVEN

import regulars
from regulars.serve.console.refusing import telling
from regulars.serve.console.refusing.telling import is_known, reason_of, refusal

SRC = Path(regulars.__file__).parent
REACHING = (
    "adjust/alerts/service.py",
    "adjust/autotune/service.py",
    "adjust/policies/*.py",
    "adjust/reporting/span.py",
    "adjust/rollout/service.py",
    "decide/budget/obeying/service.py",
    "decide/budget/planning/guards.py",
    "decide/budget/planning/plan.py",
    "decide/budget/planning/service.py",
    "decide/budget/reviewing/*.py",
    "decide/channels/service.py",
    "decide/policies/rule.py",
    "govern/access/publishable_keys/service.py",
    "govern/approvals/*.py",
    "measure/experiments/gates/checks.py",
    "measure/experiments/keeping/planning.py",
    "measure/experiments/keeping/reading/*.py",
    "measure/experiments/keeping/service.py",
    "measure/scorecard/definition.py",
    "reach/campaigns/reviewing/*.py",
    "reach/rights/requests/*.py",
    "serve/console/pages/audiences/*.py",
    "serve/console/pages/money/*.py",
    "serve/http/govern/rights.py",
    "serve/http/measure/report.py",
    "serve/http/measure/scorecard.py",
    "understand/champions/service.py",
    "understand/segments/audiences/definition.py",
    "understand/segments/audiences/exporting/service.py",
    "understand/segments/audiences/rules.py",
    "understand/segments/audiences/service.py",
)
"""Whose refusals the pages of deciding, measuring and adjusting show."""
RAISED = {"InputError", "NotAllowed", "NotReady", "Refusal"}


def sentence_of(node):
    """What an error says, with a stand-in for each value; "" where it is made elsewhere."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)


def refused_in(source):
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        sentence
        for call in calls
        if getattr(call.func, "id", "") in RAISED and call.args
        if (sentence := sentence_of(call.args[-1]))
    ]


def is_said(sentence):
    """Whether a page can say it, whatever the figures; a stand-in at its start may be a field."""
    return is_known(sentence) or is_known(re.sub("^7", "effect", sentence))


def test_every_refusal_these_pages_may_show_is_translated():
    files = sorted({file for pattern in REACHING for file in SRC.glob(pattern)})
    refused = {
        f"{file.relative_to(SRC)}: {sentence}"
        for file in files
        for sentence in refused_in(file.read_text("utf-8"))
    }

    assert len(refused) > 100
    assert sorted(one for one in refused if not is_said(one.partition(": ")[2])) == []


def test_a_refusal_nobody_translated_would_be_found():
    [sentence] = refused_in("raise InputError(f'{x} is far too {y}; give less of it')")

    assert sentence == "7 is far too 7; give less of it"
    assert not is_said(sentence)


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            "greedy stays in its stage, canary: +0.3 per customer [-1, 1.6]",
            "greedy 仍在原阶段（服务少数顾客）：每位顾客相差 +0.3，区间 [-1, 1.6]，还不足以判定",
        ),
        (
            "coupon shows no effect: variant control has 0 customers, must have 30 or more; wait "
            "for more; so conclude that nothing was learned",
            "coupon 不显示效果：变体 control 有 0 位顾客，至少要 30 位；请等待更多顾客；"
            "因此只能下“没有得出结论”的结论",
        ),
        (
            "spend_rate serves already for value; there is nothing to promote",
            "“历史速率”已在用（顾客会花多少？），无需启用",
        ),
        ("Why is missing\nOffer is missing", "没有填原因；没有填优惠"),
    ],
)
def test_a_sentence_within_a_sentence_and_a_code_are_said_in_the_language_too(text, chinese):
    assert refusal(text, "zh-CN") == chinese
    assert refusal(text, "en") == text.replace("\n", "; ")


def test_what_nobody_translated_is_shown_as_it_is_and_marked_as_english():
    shown = refusal("the <moon> is full", "zh-CN")

    assert shown == '被拒绝。原因（英文原文）： <code lang="en">the &lt;moon&gt; is full</code>'


@pytest.mark.parametrize(
    "text",
    [
        "the table has no column spend, has x; give one row per customer with y",
        "stop.bounces is 0, must be above 0: one mishap would stop everything",
        "the ledger of the turn is missing",
        "Why is 1 of 2, must be 3 of 4 or more",
        "+0.3 per customer [-1, 1.6]",
        "greedy stays in its stage, canary: lost per customer gone",
        "the form: the moon is full",
    ],
)
def test_a_sentence_that_only_looks_like_another_is_marked_as_english(text):
    assert refusal(text, "zh-CN") == f'被拒绝。原因（英文原文）： <code lang="en">{text}</code>'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" + " is , must be " * 3000, 503),
        ("no channel named " + "x" * 500 + "; known: sms", 503),
        ("\n".join(["x" * 400] * 100), 20 * 402 + 1),
    ],
)
def test_in_what_is_longer_than_any_sentence_none_is_looked_for(monkeypatch, text, shown):
    monkeypatch.setattr(telling, "_known", lambda: pytest.fail("a pattern was tried"))

    said = refusal(text, "zh-CN")

    assert said.startswith("被拒绝。原因（英文原文）：")
    assert len(re.findall("<code[^>]*>(.*)</code>", said)[0]) == shown


def test_no_regex_is_tried_where_its_words_do_not_stand():
    known = telling._Known("%(a)s or %(b)s", None, ("", " or ", ""), is_fragment=False)

    assert known.found_in("either and both") is None


def test_sentences_within_sentences_are_followed_only_so_deep():
    shallow = "the form: " * 3 + "nobody is signed in; sign in first"
    deep = "the form: " * 4 + "nobody is signed in; sign in first"

    assert "英文原文" not in refusal(shallow, "zh-CN")
    assert "英文原文" in refusal(deep, "zh-CN")


def test_a_form_names_its_fields_not_their_types():
    class Form(BaseModel):
        why: str = Field(min_length=1, max_length=3)
        amount: float = Field(ge=0)

    with pytest.raises(ValidationError) as wrong:
        Form(why="", amount=-1)
    with pytest.raises(ValidationError) as long:
        Form(why="abcd", amount=1)

    assert reason_of(wrong.value) == "Why is missing\nMoney of a turn is -1, must be 0 or more"
    assert refusal(reason_of(long.value), "zh-CN") == "原因有 4 个字符，最多 3 个"


@pytest.fixture(scope="module")
def shop(make_shop, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("refusals") / "shop"
    make_shop.filled(folder)
    with serve(folder) as running:
        client = running.client("admin")
        headers = {"x-csrf-token": running.csrf(client)}
        given = GIVEN | {"inference": "any_time"}
        client.put("/api/measure/experiments/coupon", json=given, headers=headers)
        client.put("/api/decide/policies/greedy", json={}, headers=headers)
        yield running


@pytest.mark.parametrize(
    ("path", "form", "says"),
    [
        ("/policies/greedy/promote", {}, "greedy 仍只旁观：还没有可用的决策记录"),
        ("/policies/greedy/rollback", {"reason": ""}, "没有填原因"),
        ("/policies", {"name": "Greedy", "choosing": "best_value"}, "只能用小写字母"),
        ("/models/value", {"version": "spend_rate", "reason": "x"}, "从未比较过"),
        ("/models/value", {"verb": "rollback", "reason": "x"}, "从一开始就在用"),
        ("/budget/pin", {"amount": "-1", "why": "x", "segment": "a", "channel": "sms",
                         "offer_id": "news"}, "每轮金额是 -1，须为 0 或更大"),
        ("/budget/limit", {"floor": "9", "ceiling": "1", "why": "x", "segment": "a", "do": "keep",
                           "channel": "sms", "offer_id": "news"}, "须满足 0 ≤ 下限 ≤ 上限"),
        ("/channels/override", {"channel": "sms", "measure": "reach", "value": "400", "why": "x"},
         "请填 0 到 100 的百分比"),
        ("/experiments/coupon/start", {"edited_at": "now"}, "coupon"),
        ("/experiments/new", {"id": "NO", "effect": ""}, "值得发现的最小变化"),
        ("/experiments/coupon/stop", {"reason": "x"}, "须为进行中"),
        ("/data/publishable-keys", {"name": "", "page_origins": "https://7.cn"}, "站点名称是"),
        ("/learnings/channels/sms", {"verb": "undo"}, "无需撤回"),
        ("/requests/erase", {"customer_id": ""}, "没有填顾客"),
    ],
)  # fmt: skip
def test_a_chinese_page_refuses_in_chinese(shop, path, form, says):
    client = shop.client("admin")
    client.get("/?lang=zh-CN")
    answer = client.post(path, data=form | {"csrf_token": shop.csrf(client)})
    alerts = re.findall(r'role="alert">(.*?)</p>', answer.text, re.S)

    assert answer.status_code == 400, answer.text[:300]
    assert says in alerts[0]
    plain = re.sub(r"<[^>]+>|regulars adjust models try|coupon|greedy|Greedy|admin", "", alerts[0])
    assert not re.search(r"[A-Za-z]{4,}", plain), plain
