"""Lists of words: the good rows are noted together, rubbish is named row by row."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.errors import InputError
from regulars.govern.consent.declared import read_declared
from regulars.govern.consent.importing.service import Reading, import_words
from regulars.govern.consent.service import show

READING = Reading("words.csv", "Asia/Shanghai", read_declared())
LIST = """customer_id,purpose,channel,topic,status,recorded_at,evidence
ann,marketing,sms,,granted,2026-03-01 10:00,form 1
bob,marketing,*,,maybe,2026-03-01 10:00,form 2
,marketing,sms,,granted,2026-03-01 10:00,form 3
eve,marketing,sms,,granted,yesterday,form 4
dan,spam,sms,,granted,2026-03-01 10:00,form 5
eve,marketing,email,news,denied,2026-03-01T10:00:00+08:00,
"""


def brought_in(state, now, text, reading=READING):
    data = text.encode() if isinstance(text, str) else text
    return import_words(state, data, reading=reading, actor="wang", now=now)


def test_good_rows_are_noted_and_each_bad_one_is_named_with_its_reason(state, now):
    found = brought_in(state, now, LIST)

    assert (found.received, found.noted) == (6, 2)
    assert [one.row for one in found.refused] == [2, 3, 4, 5]
    assert [one.reason.split()[0] for one in found.refused] == [
        "no",
        "customer_id",
        "recorded_at",
        "no",
    ]
    [change] = show(state, "ann", now=now).changes
    local = datetime(2026, 3, 1, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert datetime.fromisoformat(change.recorded_at) == local
    assert (change.evidence, change.source) == ("form 1", "import")
    [change] = show(state, "eve", now=now).changes
    assert change.evidence == "words.csv, row 6"


def test_the_same_list_again_adds_nothing(state, now):
    brought_in(state, now, LIST)

    assert brought_in(state, now, LIST).noted == 0


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"customer_id": "ann", "status": "granted", "recorded_at": "2026-03-01"}]),
        '{"customer_id": "ann", "status": "granted", "recorded_at": "2026-03-01"}\n{"a": 1}\nx',
        "\ufeffcustomer_id,status,recorded_at\nann,granted,2026-03-01\n",
        "customer_id,status,recorded_at,evidence\nann,granted,2026-03-01,登记表\n".encode(
            "gb18030"
        ),
    ],
    ids=["array", "lines", "byte order mark", "GB 18030"],
)
def test_lists_come_as_csv_or_json(state, now, text):
    brought_in(state, now, text)

    assert show(state, "ann", now=now).status("marketing") == "granted"


def test_a_list_nobody_can_read_is_refused_whole(state, now):
    with pytest.raises(InputError, match="no JSON"):
        brought_in(state, now, "[1, 2")
    with pytest.raises(InputError, match="neither"):
        brought_in(state, now, b"\xff\xfe\xff\xff\x00")


@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_list_holds_every_row_is_noted_or_refused(state, data):
    now = datetime(2026, 3, 10, tzinfo=UTC)
    try:
        found = brought_in(state, now, data)
    except InputError:
        return

    assert found.noted <= found.received - len(found.refused)
