"""Programs that open and click are told apart from people."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.reach.receipts.scanners import FASTEST_SECONDS, is_scanner

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
PEOPLE = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 Chrome/126 Mobile Safari/537.36 "
    "MicroMessenger/8.0.50",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130 Safari/537.36",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Mobile/15E148 Twitter for iPhone",
]
PROGRAMS = [
    "",
    "  ",
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "python-requests/2.32",
    "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/150 Safari/537.36",
    "Mozilla/5.0 (compatible; Baiduspider/2.0)",
]


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_count(agent):
    assert not is_scanner(agent)


@pytest.mark.parametrize("agent", PROGRAMS)
def test_programs_do_not(agent):
    assert is_scanner(agent)


def test_asking_by_head_and_following_a_hidden_link_is_a_program():
    assert is_scanner(PEOPLE[0], method="HEAD")
    assert is_scanner(PEOPLE[0], is_hidden_link=True)


def test_nobody_clicks_sooner_than_a_message_can_be_read():
    sent = NOW

    assert is_scanner(PEOPLE[0], sent_at=sent, at=sent + timedelta(seconds=FASTEST_SECONDS / 2))
    assert not is_scanner(PEOPLE[0], sent_at=sent, at=sent + timedelta(seconds=FASTEST_SECONDS))
