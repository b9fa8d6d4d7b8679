"""Published Python clients, each making every kind of call it has."""

import contextlib
import io
import json
import logging
import threading
import time
import urllib.error
import urllib.request
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

import posthog
import pyarrow as pa
import rudderstack.analytics as rudder
import segment.analytics as segment
import sensorsanalytics as sensors
import snowplow_tracker as snowplow
import tgasdk.sdk as thinkingdata


@dataclass(frozen=True)
class Client:
    run: Callable
    expected: list
    packs: tuple
    retries: bool


CLIENTS = {}
CALLS = ("identify", "track", "page", "screen", "group", "alias")


def client(*expected, packs=(False,), retries=True):
    """Register a client: the events its calls come to, if it packs bodies, if it tries again."""

    def register(run):
        CLIENTS[run.__name__] = Client(run, list(expected), packs, retries)
        return run

    return register


def spec_calls(one):
    one.identify("m-1001", {"email": "li@example.com", "城市": "上海"}, anonymous_id="a-1")
    one.track(
        "m-1001", "Order Completed", {"order_id": "o-1", "total": 12.5, "note": "第一单\n加急"}
    )
    one.page("m-1001", "Shop", "Home", {"url": "https://shop.example/"})
    one.screen("m-1001", "App", "Cart")
    one.group("m-1001", "g-9", {"plan": "gold"})
    one.alias("a-1", "m-1001")


SPEC = [
    ("identify", None),
    ("track", "Order Completed"),
    ("page", "Home"),
    ("screen", "Cart"),
    ("group", None),
    ("alias", None),
]


@client(*SPEC, packs=(False, True))
def segment_python(address, key, gzip):
    failed = []
    one = segment.Client(
        key,
        host=f"http://{address}",
        gzip=gzip,
        upload_interval=0.05,
        on_error=lambda error, items: failed.append(error),
    )
    spec_calls(one)
    one.flush()
    one.join()
    return failed


@client(*SPEC, packs=(False, True))
def rudder_python(address, key, gzip):
    failed = []
    one = rudder.Client(
        key,
        host=f"http://{address}",
        gzip=gzip,
        upload_interval=0.05,
        on_error=lambda error, items: failed.append(error),
    )
    spec_calls(one)
    one.flush()
    one.join()
    return failed


SENSORS = [
    ("track", "ViewProduct"),
    ("page", "首页"),
    ("identify", None),
    *[("identify", None)] * 6,
    ("track", "$ItemSet"),
    ("track", "$ItemDelete"),
    ("identify", None),
    ("track", "$UnbindID"),
    ("track", "PayOrder"),
    *[("identify", None)] * 6,
]


def sensors_calls(consumer):
    one = sensors.SensorsAnalytics(consumer)
    phone = sensors.SensorsAnalyticsIdentity(sensors.SensorsAnalyticsIdentity.MOBILE, "13912345678")
    login = sensors.SensorsAnalyticsIdentity(sensors.SensorsAnalyticsIdentity.LOGIN_ID, "m-1001")
    one.track("cookie-7", "ViewProduct", {"ProductId": "p-1", "Name": "牛奶"})
    one.track("cookie-7", "$pageview", {"$url": "https://shop.example/", "$title": "首页"})
    one.track_signup("m-1001", "cookie-7", {"$ip": "10.1.2.3"})
    one.profile_set("m-1001", {"Gender": "女"}, is_login_id=True)
    one.profile_set_once("m-1001", {"FirstVisit": "2026-01-01"}, is_login_id=True)
    one.profile_increment("m-1001", {"Visits": 1}, is_login_id=True)
    one.profile_append("m-1001", {"Likes": ["茶"]}, is_login_id=True)
    one.profile_unset("m-1001", ["City"], is_login_id=True)
    one.profile_delete("m-9999", is_login_id=True)
    one.item_set("product", "p-1", {"price": 9.9})
    one.item_delete("product", "p-2")
    one.bind(login, phone)
    one.unbind(phone)
    one.track_by_id("PayOrder", {"Amount": 20}, login, phone)
    one.profile_set_by_id({"City": "杭州"}, login)
    one.profile_set_once_by_id({"Source": "app"}, login)
    one.profile_increment_by_id({"Visits": 2}, login)
    one.profile_append_by_id({"Likes": ["咖啡"]}, login)
    one.profile_unset_by_id(["City"], login)
    one.profile_delete_by_id(sensors.SensorsAnalyticsIdentity("$identity_email", "b@example.com"))
    return one


def sensors_address(address, key):
    return f"http://{address}/sa?project=default&token={key}"


def until_sent(send):
    """Try again as an application does: the client itself only raises."""
    for _ in range(5):
        try:
            return send()
        except (sensors.SensorsAnalyticsNetworkException, thinkingdata.TDNetworkException):
            time.sleep(0.05)
    return send()


class Patient(sensors.DefaultConsumer):
    """The client's one-by-one consumer, tried again when it raises."""

    def send(self, msg):
        return until_sent(lambda: super(Patient, self).send(msg))


class PatientBatch(sensors.BatchConsumer):
    """The client's batch consumer, tried again when it raises."""

    def flush(self):
        return until_sent(super().flush)


@client(*SENSORS, packs=(True,))
def sensors_python_default(address, key, gzip):
    sensors_calls(Patient(sensors_address(address, key))).close()


@client(*SENSORS, packs=(True,))
def sensors_python_batch(address, key, gzip):
    sensors_calls(PatientBatch(sensors_address(address, key), max_size=6)).close()


# Its sender thread dies of any answer but a success, so a server can only not give one.
@client(*SENSORS, packs=(True,), retries=False)
def sensors_python_async(address, key, gzip):
    consumer = sensors.AsyncBatchConsumer(
        sensors_address(address, key), flush_max_time=0.1, flush_size=5
    )
    one = sensors_calls(consumer)
    one.flush()
    alive = consumer._flushing_thread.is_alive()
    one.close()
    return [] if alive else ["the sender thread died"]


@client(*SENSORS, packs=(True,), retries=False)
def sensors_python_debug(address, key, gzip):
    with contextlib.redirect_stdout(io.StringIO()):
        sensors_calls(sensors.DebugConsumer(sensors_address(address, key))).close()


THINKINGDATA = [
    ("track", "ViewProduct"),
    ("track", "FirstOrder"),
    ("track", "PayOrder"),
    ("track", "PayOrder"),
    *[("identify", None)] * 7,
]


def thinkingdata_calls(consumer):
    one = thinkingdata.TDAnalytics(consumer)
    one.track("cookie-7", None, "ViewProduct", {"product": "p-1", "名称": "牛奶"})
    one.track_first("cookie-7", "m-1001", "FirstOrder", "first-1", {"amount": 3})
    one.track_update("cookie-7", "m-1001", "PayOrder", "pay-1", {"amount": 3})
    one.track_overwrite("cookie-7", "m-1001", "PayOrder", "pay-1", {"amount": 4})
    one.user_set(None, "m-1001", {"city": "上海"})
    one.user_setOnce(None, "m-1001", {"first": "app"})
    one.user_add(None, "m-1001", {"visits": 1})
    one.user_append(None, "m-1001", {"likes": ["茶"]})
    one.user_uniq_append(None, "m-1001", {"likes": ["茶"]})
    one.user_unset(None, "m-1001", ["city"])
    one.user_del(None, "m-9999")
    return one


class PatientSender(thinkingdata.TDBatchConsumer):
    """The client's batch consumer, tried again when it raises."""

    def flush_once(self, throw_exception=True):
        return until_sent(super().flush_once)


@client(*THINKINGDATA, packs=(False, True))
def thinkingdata_python_batch(address, key, gzip):
    consumer = PatientSender(f"http://{address}", key, batch=4, compress=gzip)
    thinkingdata_calls(consumer).close()


@client(*THINKINGDATA, packs=(True,))
def thinkingdata_python_async(address, key, gzip):
    consumer = thinkingdata.TDAsyncBatchConsumer(
        f"http://{address}", key, interval=0.1, flush_size=4
    )
    thinkingdata_calls(consumer).close()


POSTHOG = [
    ("track", "Order Paid"),
    ("page", None),
    ("identify", None),
    ("identify", None),
    ("alias", None),
    ("group", None),
]


@client(*POSTHOG, packs=(False, True))
def posthog_python(address, key, gzip):
    failed = []
    one = posthog.Posthog(
        key,
        host=f"http://{address}",
        gzip=gzip,
        flush_interval=0.05,
        on_error=lambda error, items: failed.append(error),
        disable_geoip=True,
    )
    one.capture("Order Paid", distinct_id="m-1001", properties={"amount": 8.5, "名称": "牛奶"})
    one.capture(
        "$pageview", distinct_id="m-1001", properties={"$current_url": "https://shop.example/"}
    )
    one.set(distinct_id="m-1001", properties={"city": "上海"})
    one.set_once(distinct_id="m-1001", properties={"first": "app"})
    one.alias("cookie-7", "m-1001")
    one.group_identify("store", "s-1", {"name": "南京路"})
    one.shutdown()
    return failed


SNOWPLOW = [
    ("page", "Home"),
    ("track", "page_ping"),
    ("track", "add-to-basket"),
    ("track", "viewed_product"),
    ("screen", "Cart"),
]


def snowplow_calls(emitter, key):
    subject = snowplow.Subject().set_user_id("m-1001").set_domain_user_id("cookie-7")
    one = snowplow.Tracker("shop", [emitter], subject=subject, app_id=key)
    schema = "iglu:com.example/{}/jsonschema/1-0-0".format
    store = snowplow.SelfDescribingJson(schema("store"), {"store": "南京路"})
    one.track(snowplow.PageView("https://shop.example/", "Home", context=[store]))
    one.track(snowplow.PagePing("https://shop.example/", "Home", max_y=100))
    one.track(snowplow.StructuredEvent("shop", "add-to-basket", "p-1", "pcs", 2))
    viewed = snowplow.SelfDescribingJson(schema("viewed_product"), {"sku": "p-1", "名称": "牛奶"})
    one.track(snowplow.SelfDescribing(viewed))
    one.track(snowplow.ScreenView("0f9b7ee5-1a1b-4b8b-9b1e-4a5f6b7c8d9e", "Cart"))
    return one


@client(*SNOWPLOW)
def snowplow_python_post(address, key, gzip):
    emitter = snowplow.Emitter(address, protocol="http", batch_size=3, max_retry_delay_seconds=1)
    snowplow_calls(emitter, key).flush()
    settle(emitter)


@client(*SNOWPLOW)
def snowplow_python_get(address, key, gzip):
    emitter = snowplow.Emitter(address, protocol="http", method="get", max_retry_delay_seconds=1)
    snowplow_calls(emitter, key).flush()
    settle(emitter)


NATIVE = [("track", "Order Paid"), ("identify", None), ("page", "Home")]
ROWS = [
    {"type": "track", "event": "Order Paid", "userId": "m-1001", "properties": {"total": 8.5}},
    {"type": "identify", "context": {"externalIds": [{"id": "o-7", "type": "openid"}]}},
    {"type": "page", "name": "Home", "anonymousId": "cookie-7"},
]


def post(address, key, body):
    """Send one bulk request as a script does, again when told to."""
    headers = {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}
    for _ in range(5):
        asked = urllib.request.Request(f"http://{address}/v1/events", body, headers)
        try:
            with urllib.request.urlopen(asked, timeout=30) as reply:
                return [] if json.load(reply)["success"] else ["no success"]
        except urllib.error.HTTPError:
            time.sleep(0.05)
    return ["never taken"]


@client(*NATIVE, packs=(False, True))
def native_lines(address, key, gzip):
    rows = [{"messageId": str(n), **row} for n, row in enumerate(ROWS)]
    body = "\n".join(json.dumps(row) for row in rows).encode()
    return post(address, key, zlib.compress(body, wbits=31) if gzip else body)


@client(*NATIVE, packs=(False, True))
def native_arrow(address, key, gzip):
    columns = {name for row in ROWS for name in row} | {"messageId"}
    table = pa.table({
        name: [row.get(name) if name != "messageId" else str(n) for n, row in enumerate(ROWS)]
        for name in sorted(columns)
    })
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)
    body = sink.getvalue().to_pybytes()
    return post(address, key, zlib.compress(body, wbits=31) if gzip else body)


def settle(emitter):
    """Wait until the client's own timer has sent what failed at first."""
    for _ in range(1200):
        with emitter.lock:
            if not emitter.event_store.size() and not emitter.retry_timer.is_active():
                return
        emitter.flush()
        time.sleep(0.05)
    raise AssertionError(f"{emitter.event_store.size()} events were never sent")


def run(name, address, key, gzip):
    """Let one client make its calls; give what it says went wrong.

    A client that hangs is given up after a while, and that went wrong.
    """
    for quiet in ("segment", "rudderstack", "posthog", "snowplow_tracker.emitters"):
        logging.getLogger(quiet).setLevel(logging.CRITICAL)
    said = []
    work = threading.Thread(
        target=lambda: said.extend(attempt(CLIENTS[name].run, address, key, gzip)), daemon=True
    )
    work.start()
    work.join(60)
    return [*said, "it hangs"] if work.is_alive() else said


def attempt(one, address, key, gzip):
    try:
        return one(address, key, gzip) or []
    except Exception as error:
        return [repr(error)]
