"""Requests as published clients sent them: read to the byte, put into one form."""

import json
from base64 import b64decode
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from regulars.collect import tracking

SAMPLES = sorted((Path(__file__).parent / "wire").glob("*.json"))


def sample_of(path):
    """Give one captured request and what it must come to."""
    kept = json.loads(path.read_text("utf-8"))
    body = kept["text"].encode() if "text" in kept else b64decode(kept["base64"])
    return (kept["method"], kept["path"], kept["query"], kept["headers"], body), kept["expected"]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_captured_request_comes_to_its_events(path):
    request, expected = sample_of(path)

    parsed = tracking.parse(*request)
    events = [tracking.normalise(parsed.dialect, msgspec.json.decode(one)) for one in parsed.lines]

    assert events == expected["events"]
    assert (parsed.dialect, parsed.write_key) == (expected["dialect"], expected["write_key"])
    assert parsed.answer.form == expected["answer"]
    assert parsed.message_ids == [event["messageId"] for event in events]
    assert parsed.sent_at == (expected["sent_at"] and datetime.fromisoformat(expected["sent_at"]))


def test_every_dialect_has_a_captured_request():
    spoken = {sample_of(path)[1]["dialect"] for path in SAMPLES}

    assert spoken == {"segment", "rudder", "sensors", "thinkingdata", "posthog", "snowplow"}


def test_a_request_sent_twice_has_the_same_ids():
    for path in SAMPLES:
        request, _ = sample_of(path)

        assert tracking.parse(*request).message_ids == tracking.parse(*request).message_ids
