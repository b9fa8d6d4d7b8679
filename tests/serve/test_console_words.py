"""Every word of the console is said in both languages."""

import re
from pathlib import Path

import numpy as np
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from regulars.collect.anomalies.agents import HEADLESS, ROBOT, SCRIPT
from regulars.collect.anomalies.arrival import AUTOMATION, DATACENTRE
from regulars.collect.ingest.drain.ledger.service import COUNTS
from regulars.collect.quality.plan.coverage import BEHAVIOURS
from regulars.collect.quality.plan.differences import Change
from regulars.collect.quality.scores import DEFINITIONS
from regulars.collect.sources.rules import Reason as Fault
from regulars.govern.access.roles import Role
from regulars.govern.policy.limits.quotas import declared_quotas
from regulars.govern.policy.reasons import Fate, Reason, reason_texts
from regulars.records import TABLES
from regulars.serve.console import words
from regulars.serve.console.catalogue import translations
from regulars.serve.http.collect.events import CALLS
from regulars.serve.http.collect.quarantine import STATUSES
from regulars.serve.http.unify.customers import INDICATORS, MASKS, TAGS
from regulars.understand.segments.rfm import PROSPECTS, segment_names
from regulars.understand.value.grid import ACTIVITY_TIERS, VALUE_TIERS
from regulars.unify.identity.graph import Standing
from regulars.unify.identity.namespaces import declared_namespaces
from regulars.unify.tags.definitions import TagKind, scores
from regulars.unify.tags.rules import FIELDS, SIGNS

CONSOLE = Path(words.__file__).parent.parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
SAME_IN_CHINESE = {"RFM"}


def said():
    return {
        message
        for room in (CONSOLE, CONSOLE.parent / "public")
        for _file, _line, message, _comments, _context in extract_from_dir(
            room,
            METHODS,
            {"**.html": {"newstyle_gettext": "true"}},
            keywords={"_": None, "N_": None},
        )
    }


def catalogue():
    with (CONSOLE / "locale" / "zh_CN.po").open("rb") as file:
        return {m.id: m for m in read_po(file, locale="zh_CN") if m.id}


def untranslated(messages, entries):
    return sorted(
        m for m in messages if m not in entries or not entries[m].string or entries[m].fuzzy
    )


def test_every_text_is_translated():
    assert untranslated(said(), catalogue()) == []


def said_twice(text):
    ids = re.findall(r'^msgid (".*"(?:\n".*")*)', text, re.M)
    return sorted({one for one in ids if ids.count(one) > 1})


def test_no_text_stands_twice_in_the_catalogue():
    assert said_twice((CONSOLE / "locale" / "zh_CN.po").read_text("utf-8")) == []


def test_a_text_that_stands_twice_would_be_found():
    assert said_twice('msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n') == ['"a"']


def test_a_text_without_translation_would_be_found():
    assert untranslated(said() | {"A new text"}, catalogue()) == ["A new text"]


def test_the_catalogue_holds_nothing_nobody_says():
    assert sorted(set(catalogue()) - said()) == []


def test_translations_are_chinese_and_keep_their_places():
    for message, entry in catalogue().items():
        assert sorted(re.findall(r"%\(\w+\)s", message)) == sorted(
            re.findall(r"%\(\w+\)s", entry.string)
        ), message
        places = re.sub(r"%\(\w+\)s", "", entry.string)
        assert (
            re.search(r"[\u4e00-\u9fff]", places)
            or message in SAME_IN_CHINESE
            or not re.search(r"\w\w\w", re.sub(r"%\(\w+\)s", "", message))
        ), message


def test_chinese_sentences_use_chinese_punctuation():
    for message, entry in catalogue().items():
        text = re.sub(r"%\(\w+\)s|offers\.csv", "", entry.string)
        assert not re.search(r"[\u4e00-\u9fff][,:;!?]|[,;!?][\u4e00-\u9fff]", text), message
        assert message.endswith(".") == entry.string.endswith("。"), message


def bare_words(template):
    """Texts of a template that no translation reaches."""
    text = re.sub(r"<code>.*?</code>|<!--.*?-->|<script\b.*?</script>", " ", template, flags=re.S)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.S)
    outside = re.sub(r"<[^>]*>", " ", text)
    named = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', text)
    return [
        word
        for part in (outside, *named)
        for word in re.findall(r"[A-Za-z\u4e00-\u9fff]{2,}", part)
    ]


LANGUAGES = ["English", "中文"]


@pytest.mark.parametrize(
    "template", sorted((CONSOLE / "templates").rglob("*.html")), ids=lambda path: path.name
)
def test_no_template_holds_a_text_of_its_own(template):
    assert [word for word in bare_words(template.read_text("utf-8")) if word not in LANGUAGES] == []


def test_a_text_of_its_own_would_be_found():
    assert bare_words('<p title="Hello">{{ _("Fine") }} Bad</p>') == ["Bad", "Hello"]


def own_number_forms(template):
    """Numbers a template writes by itself: no thousands apart, a hyphen for a minus."""
    forms = re.findall(r'"(%[^"]*)"\|format', template)
    return [form for form in forms if form not in FOR_FIELDS_AND_CLOCKS]


FOR_FIELDS_AND_CLOCKS = {"%g", "%02d:00–%02d:00"}


def test_every_template_leaves_numbers_to_the_one_formatter():
    own = {
        template.name: forms
        for template in (CONSOLE / "templates").rglob("*.html")
        if (forms := own_number_forms(template.read_text("utf-8")))
    }

    assert own == {}


def test_a_number_form_of_its_own_would_be_found():
    assert own_number_forms('{{ "%+.2f"|format(x) }} {{ "%g"|format(x) }}') == ["%+.2f"]


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (words.FATES, list(Fate)),
        (words.QUOTAS, [one.name for one in declared_quotas()]),
        (words.RESTS_ON, sorted({text.rests_on for text in reason_texts().values()})),
        (words.TERM_MEANINGS, list(words.TERMS)),
        (words.REASONS, list(Reason)),
        (words.ROLES, list(Role)),
        (words.FAULTS, list(Fault)),
        (
            words.SEGMENTS,
            [PROSPECTS, *np.unique(segment_names(*np.indices((6, 6, 6)).reshape(3, -1)))],
        ),
        (words.TIERS, [*VALUE_TIERS, *ACTIVITY_TIERS]),
        (words.INDICATORS, INDICATORS),
        (words.TAGS, TAGS),
        (words.CONTACT_DATA, MASKS),
        (words.FIELDS, FIELDS),
        (words.SIGNS, SIGNS),
        (words.TAG_KINDS, TagKind),
        (words.SCORES, [f"{t}.{c}" for t, names in scores().items() for c in names]),
        (words.COUNTS, COUNTS),
        (words.CALLS, CALLS),
        (words.DIMENSIONS, DEFINITIONS),
        (words.MEANINGS, DEFINITIONS),
        (words.MEANINGS_OF_FILES, DEFINITIONS),
        (words.REPLAYS, STATUSES),
        (words.NAMESPACES, declared_namespaces().by_name),
        (words.STANDINGS, Standing),
        (words.BEHAVIOURS, BEHAVIOURS),
        (words.CHANGES, Change),
        (words.MARKS, [ROBOT, HEADLESS, SCRIPT, AUTOMATION, DATACENTRE]),
        (
            words.TABLES,
            [
                name
                for name, table in TABLES.items()
                if table.station == "collect" and name not in {"imports", "quarantine"}
            ],
        ),
    ],
)
def test_every_code_we_give_ourselves_has_words(names, codes):
    assert [str(code) for code in codes if str(code) not in names] == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/customers",
        "/customers/c001",
        "/customers/c000",
        "/campaigns?turn=1",
        "/campaigns/news-001",
        "/campaigns/off10-001",
        "/nothing",
        "/data",
        "/data/events",
        "/data/quarantine",
        "/data/plan",
        "/tags",
        "/tags/edit",
        "/campaigns/edit",
        "/approvals",
        "/delivery",
        "/copy",
    ],
)
def test_no_english_is_left_on_a_chinese_page(server, path):
    client = server.client("admin")
    page = client.get(
        path,
        headers={
            "cookie": f"regulars_session={client.cookies['regulars_session']}; regulars_locale=zh-CN"
        },
    ).text
    body = re.sub(r"<(script|style|code|title|b)\b.*?</\1>", " ", page, flags=re.S)
    seen = set(
        re.findall(
            r"[A-Za-z][A-Za-z_]{2,}",
            re.sub(r"<[^>]+>|[\w.*]+@[\w.]+|isv\.\w+|strange_new_reason|\w+-00\d", " ", body),
        )
    )

    named = {"Segment", "RudderStack", "PostHog", "Snowplow", "SDK", "Python", "curl"}
    assert seen - named <= {"English", "admin", "App", "RFM", "CNY", "c001", "c000", "news", "sms"}


def test_both_languages_open_with_the_language_asked_for(server):
    client = server.client("viewer")

    assert '<html lang="zh-CN">' in client.get("/?lang=zh-CN").text
    assert '<html lang="zh-CN">' in client.get("/customers").text, "the choice is kept"
    assert '<html lang="en">' in client.get("/?lang=en").text
    assert client.get("/?lang=fr").status_code == 200


def test_somebody_new_is_greeted_in_the_language_of_the_browser(server):
    client = server.client()

    assert "登录" in client.get("/sign-in", headers={"accept-language": "zh-TW,zh;q=0.9"}).text
    assert "Sign in" in client.get("/sign-in", headers={"accept-language": "en-GB"}).text
    assert "登录" in client.get("/sign-in", headers={"accept-language": "fr"}).text, (
        "the shop's own"
    )


def test_a_language_without_catalogue_stays_english():
    assert translations("en").gettext("Customers") == "Customers"
