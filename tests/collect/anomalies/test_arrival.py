"""Marks on arrival: robots are named, customers are not, and the same event gets the same marks."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.collect.anomalies import Networks, agents_in_payloads, marks_on_arrival
from regulars.collect.anomalies.agents import kinds_of_agents
from regulars.errors import InputError

SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
)
IN_CHINA = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 MicroMessenger/8.0.43(0x18002b2d) NetType/WIFI Language/zh_CN miniProgram/wx0a1b",
    "Mozilla/5.0 (Linux; Android 13; M2012K11AC Build/TKQ1; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 MMWEBID/4411 MicroMessenger/8.0.47 WeChat/arm64",
    "Mozilla/5.0 (Linux; U; Android 12; zh-CN; PFJM10) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/100.0.4896.58 UCBrowser/16.3.5 Mobile Safari/537.36 AliApp(AP/10.5.36)",
    "Mozilla/5.0 (Linux; Android 14; V2307A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 "
    "Mobile Safari/537.36 aweme_290100 JsSdk/1.0 NetType/4G Channel/vivo BytedanceWebview/d8a21c6",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/119.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 Weibo (iPhone14,5__weibo__13.3.1__iphone__os16.2)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 SearchCraft/3.9.1 baiduboxapp/13.30.0.10 (Baidu; P2 16.2)",
    "Mozilla/5.0 (Linux; Android 12; NOH-AN00) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.4844.88 "
    "HuaweiBrowser/13.0.4.302 Mobile Safari/537.36 PingAn/5.1",
]


def event(agent=None, **context):
    return json.dumps({
        "type": "track",
        "context": context | ({"userAgent": agent} if agent else {}),
    })


def marks(*events, agents=None, **options):
    header = pa.array(agents or [None] * len(events), pa.string())
    return marks_on_arrival(header, pa.array(events), **options).to_pylist()


def test_real_robots_are_found_and_real_browsers_are_not_taken_for_robots(real_agents):
    robots = kinds_of_agents(real_agents("bots.parquet", "user_agent"), of_pages=True)
    browsers = kinds_of_agents(real_agents("browsers.parquet", "userAgent"), of_pages=True)

    found, wrong = len(robots) - robots.null_count, len(browsers) - browsers.null_count
    assert found / len(robots) >= 0.97
    assert found / (found + wrong) >= 0.995


@pytest.mark.parametrize("agent", [SAFARI, *IN_CHINA])
def test_a_customer_s_browser_is_never_marked(agent):
    assert marks(event(agent), agents=[agent]) == [None]


@pytest.mark.parametrize(
    ("agent", "mark"),
    [
        (
            "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
            "robot",
        ),
        (SAFARI.replace("Version", "HeadlessChrome"), "headless"),
        ("python-requests/2.32", "script"),
    ],
)
def test_an_agent_a_page_reports_is_judged(agent, mark):
    assert marks(event(agent)) == [mark]


@pytest.mark.parametrize(
    "library",
    [
        "python-requests/2.32",
        "okhttp/4.12",
        "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
        "Shop/7 CFNetwork/1494",
    ],
)
def test_the_library_a_retailer_s_server_sends_with_is_no_robot(library):
    assert marks(event(SAFARI), agents=[library]) == [None]


def test_a_robot_in_the_header_of_the_request_is_marked_too():
    assert marks(event(), agents=["Googlebot/2.1"]) == ["robot"]


def test_each_reason_is_named_once_in_the_same_order():
    driven = event("HeadlessChrome bot/1", webdriver=True)

    assert marks(driven, agents=["Googlebot"]) == ["automation headless robot"]


def test_addresses_of_hosting_networks_are_marked_where_they_are_given():
    networks = Networks(["203.0.113.0/24", "2001:db8::/32", "203.0.0.0/16"])
    addresses = ["203.0.113.9", "203.1.0.1", "2001:db8::1", "junk", None]

    found = marks(*[event(SAFARI)] * 5, addresses=pa.array(addresses), networks=networks)

    assert found == ["datacentre", None, "datacentre", None, None]


def test_a_range_inside_another_does_not_end_it():
    networks = Networks(["10.0.0.0/8", "10.1.0.0/16"])

    assert "10.200.0.1" in networks
    assert "11.0.0.1" not in networks


def test_a_range_that_is_none_is_refused_by_name():
    with pytest.raises(InputError, match="shopnet"):
        Networks(["shopnet"])


@given(st.lists(st.text(max_size=60) | st.none(), max_size=20))
def test_any_agent_gets_an_answer_and_the_order_of_rows_does_not_matter(agents):
    column = pa.array(agents, pa.string())

    forward = kinds_of_agents(column, of_pages=True).to_pylist()

    assert forward[::-1] == kinds_of_agents(column[::-1], of_pages=True).to_pylist()
    assert [
        kind for kind, agent in zip(forward, agents, strict=True) if agent is None and kind
    ] == []


def test_the_agent_is_read_out_of_the_payload():
    payloads = pa.array([event('quoted \\" browser'), "{}", '{"context": {"userAgent" : "a"}}'])

    assert agents_in_payloads(payloads).to_pylist()[1:] == [None, "a"]
    assert agents_in_payloads(payloads)[0].as_py().startswith("quoted")
