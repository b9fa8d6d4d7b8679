"""What lets customers in, what takes them out and the cases of a branch, as rows of a form."""

import pytest

from regulars.errors import InputError
from regulars.reach.journeys.templates.catalogue import NAMES, find_template
from regulars.serve.console.pages.journeys.rows.conditions import asked_of, asked_rows, said_rows
from regulars.serve.console.pages.journeys.rows.doors import (
    case_rows,
    cases_of,
    entries_of,
    entry_rows,
    exit_rows,
    exits_of,
)
from regulars.serve.console.pages.journeys.rows.lists import with_rows
from regulars.serve.console.pages.journeys.rows.tree import flat, nested

ENTRIES = [
    {"event": "Came", "where": {"shop": "a"}},
    {"event": "Came", "where": [{"property": "total", "is": ">=", "value": 99.5}], "start": "x"},
    {"date": "birthday", "at": "10:00", "days_before": 7, "audience": {"tag": "vip"}},
    {"date": "points_expiring", "at": "09:00"},
    {"audience": {"rule": {"field": "orders", "is": ">=", "value": 2}}},
    {"audience": {"audience": "lookers"}},
    {"schedule": {"every": "week", "at": "11:00", "weekdays": ["mon", "sat"]}, "audience": "everybody"},
    {"schedule": {"every": "month", "at": "11:00", "day": 3}, "audience": {"segment": "champions"}},
]  # fmt: skip
WHENS = [
    {"tag": "vip", "event": {"shop": "a", "code": "007", "size": 7, "is_new": True}},
    {"profile": {"all": [
        {"field": "city", "is": "in", "value": ["Wuhan", "Xian"]},
        {"event": "Product Viewed", "days": 7, "is": "between", "value": [2, 5]},
        {"field": "born_year", "is": "missing"},
    ]}},
    {"profile": {"any": [{"field": "orders", "is": "=", "value": 0}, {"field": "city", "is": "=", "value": "a"}]}},
    {"event": [{"property": "5", "is": "=", "value": "5"}, {"property": "5", "is": "exists"}]},
]  # fmt: skip


def through_the_form(rows, name):
    return nested(flat(rows, name), name)


def test_what_a_file_says_comes_back_from_its_rows_as_it_was():
    assert entries_of(through_the_form(entry_rows(ENTRIES), "e")) == ENTRIES
    cases = [{"name": f"c{n}", "when": when, "next": f"n{n}"} for n, when in enumerate(WHENS)]
    assert cases_of(through_the_form(case_rows(cases), "c"), cases) == cases


@pytest.mark.parametrize("name", NAMES)
def test_every_template_comes_back_from_its_rows_as_it_was(name):
    given = find_template(name).journey

    assert entries_of(through_the_form(entry_rows(given["entry"]), "e")) == given["entry"]
    exits = given.get("exit_on", [])
    assert exits_of(through_the_form(exit_rows(exits), "x")) == exits


def test_a_quoted_number_stays_a_text():
    assert said_rows({"code": "007", "size": "7"}) == [
        {"property": "code", "sign": "=", "value": "007"},
        {"property": "size", "sign": "=", "value": '"7"'},
    ]


def test_rows_are_added_and_taken_away_within_rows():
    form = flat(entry_rows(ENTRIES[:2]), "e") | {"s.name": "Tea"}
    more = with_rows(form | {"do": "rows:add:e.0.w"})
    fewer = with_rows(more | {"do": "rows:drop:e.1"})

    assert len(nested(more, "e")[0]["w"]) == 2
    assert [one["event"] for one in entries_of(nested(fewer, "e"))] == ["Came"]
    assert fewer["s.name"] == "Tea"
    assert nested(with_rows(form | {"do": "rows:add:e.9.w"}), "e") == nested(form, "e")
    assert nested(with_rows(form | {"do": "rows:drop:e.9"}), "e") == nested(form, "e")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"kind": "audience", "q": []}], "way in 1 is by audience and names none"),
        ([{"kind": "date", "side": "before", "days": "a week"}], "days is 'a week', must be a whole"),
        ([{"kind": "audience", "q": [{"what": "tag", "name": "a"}, {"what": "tag", "name": "b"}]}],
         "names two of kind tag"),
        ([{"kind": "audience", "q": [{"what": "tag", "name": "a"}, {"what": "field:orders", "value": "1"}]}],
         "asks rule and tag; give one of"),
        ([{"kind": "audience", "q": [{"what": "text", "value": "{"}]}], "not readable as JSON"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_says_what_is_wanted(rows, says):
    with pytest.raises(InputError, match=says):
        entries_of(rows)


def test_a_case_must_ask_something_and_a_new_one_leads_where_the_first_led():
    with pytest.raises(InputError, match="case b asks nothing"):
        cases_of([{"name": "b", "q": [{"what": ""}]}], [])
    before = [{"name": "a", "when": {"tag": "vip"}, "next": "one"}]
    rows = [*case_rows(before), {"name": "", "q": [{"what": "segment", "name": "new"}]}]
    assert [one["next"] for one in cases_of(rows, before)] == ["one", "one"]
    assert asked_rows(asked_of(rows[1]["q"], "case", rule="profile")) == rows[1]["q"]
