"""Traffic of people, and of programs planted among them, with the truth about who is who."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from regulars.adapters.arrow_types import arrow_schema
from regulars.records import TABLES

DAY = date(2026, 11, 1)
START = datetime(2026, 10, 26, tzinfo=UTC)
LABELS = ["Product Viewed", "Product List Viewed", "Product Added", "Cart Viewed", "Products Searched",
          "Content Viewed", "Coupon Received", "Order Completed"]  # fmt: skip
WEIGHTS = np.array([0.35, 0.2, 0.1, 0.08, 0.1, 0.1, 0.04, 0.03])
KINDS = (
    "scraper",
    "jittered",
    "burst",
    "replay",
    "address_farm",
    "machine_farm",
    "loose_farm",
    "rotating",
    "teleport",
)
UNSEEN = "patient"
"""A program that takes its time like a person, from an address of its own: no rule here finds it."""


class Traffic:
    """Events being written, and which devices are programs."""

    def __init__(self, seed):
        self.draw = np.random.default_rng(seed)
        self.rows, self.robots = [], {}

    def event(
        self,
        device,
        seconds,
        label,
        *,
        customer=None,
        address=None,
        machine=None,
        place=None,
        body=None,
    ):
        at = START + timedelta(seconds=float(seconds))
        number = len(self.rows)
        context = {}
        if address:
            context["ip"] = address
        if machine:
            context["device"] = {"id": machine}
        if place:
            context["location"] = {"latitude": place[0], "longitude": place[1]}
        told = body or {
            "type": "track", "event": label, "originalTimestamp": at.isoformat(),
            "properties": {"product_id": f"p{self.draw.integers(5000)}"}, "context": context,
        }  # fmt: skip
        self.rows.append({
            "source": "web", "message_id": f"m{number}", "dialect": "segment", "type": "track", "event": told["event"],
            "occurred_at": at, "received_at": at, "business_date": at.date(), "anonymous_id": device,
            "user_id": customer, "payload": json.dumps(told | {"messageId": f"m{number}"}), "receipt": "r",
            "is_late": False, "is_future": False, "log_partition": 0, "log_sequence": 1,
        })  # fmt: skip
        return told

    def session(self, device, start, length, **about):
        """One stretch of a person: thinking times are lognormal, parts of a page come together."""
        at = start
        for _ in range(length):
            self.event(device, at, self.draw.choice(LABELS, p=WEIGHTS), **about)
            at += 0.05 if self.draw.random() < 0.1 else float(self.draw.lognormal(2.7, 1.1))

    def people(self, count):
        """Customers from the one-time visitor to the enthusiast; offices share one address."""
        for person in range(count):
            device = f"d{person}"
            address = (
                f"10.0.{person % 40}.1"
                if person % 3 == 0
                else f"10.{person // 250}.{person % 250}.9"
            )
            customer = f"u{person}" if self.draw.random() < 0.4 else None
            home = (float(self.draw.uniform(22, 40)), float(self.draw.uniform(100, 122)))
            is_keen = self.draw.random() < 0.03
            for _ in range(int(self.draw.geometric(0.12 if is_keen else 0.4))):
                start = (
                    float(self.draw.uniform(0, 6)) * 86400 + float(self.draw.normal(14, 4)) * 3600
                )
                length = int(min(self.draw.lognormal(3.4 if is_keen else 1.7, 0.9), 250)) + 1
                place = home if self.draw.random() < 0.3 else None
                about = {"customer": customer, "address": address, "place": place}
                self.session(device, max(start, 0), length, **about)
        self.kiosk()

    def kiosk(self):
        """A tablet in a store used by many; a coupon over a store's Wi-Fi; a video with its pulse."""
        at = 20000.0
        for guest in range(150):
            at += float(self.draw.exponential(200))
            step = at
            errand = ["Mini Program Opened", "Coupon Received", "Product Viewed", "Order Completed"]
            for label in errand[: 2 if self.draw.random() < 0.7 else 4]:
                self.event(f"guest{guest}", step, label, address="192.168.1.1")
                step += float(self.draw.lognormal(2.7, 1.1))
        for visit in range(60):
            self.session("kiosk", 30000 + visit * 600, 6, customer=f"k{visit}")
        for beat in range(400):
            self.event("viewer", 50000 + beat * 10, "Live Stream Heartbeat")

    def program(self, kind, number):
        """Plant one program of a kind; every device it uses is a robot."""
        name, start = f"{kind}{number}", float(self.draw.uniform(0, 5)) * 86400
        if kind.endswith("farm"):
            self.farm(kind, name, start, number)
        elif kind == "rotating":
            self.rotating(name, start, number)
        else:
            getattr(self, kind)(name, start)
            self.robots[name] = kind

    def scraper(self, name, start, gap=lambda draw: 4.0 + float(draw.normal(0, 0.1))):
        at = start
        for _ in range(int(self.draw.integers(300, 900))):
            self.event(name, at, "Product Viewed")
            at += gap(self.draw)

    def jittered(self, name, start):
        self.scraper(name, start, gap=lambda draw: float(draw.uniform(2, 7)))

    def burst(self, name, start):
        for shot in range(int(self.draw.integers(200, 400))):
            self.event(name, start + shot * 0.02, "Product Added")

    def replay(self, name, start):
        first = [self.event(name, start + 9 * i * i, LABELS[i % 8]) for i in range(6)]
        for again in range(8):
            for place, body in enumerate(first):
                self.event(name, start + 4000 * (again + 1) + 50 * place * place, "", body=body)

    def teleport(self, name, start):
        for jump in range(12):
            place = [(31.2, 121.5), (39.9, 116.4), (23.1, 113.3)][jump % 3]
            at = start + jump * float(self.draw.uniform(200, 900))
            self.event(name, at, "Coupon Received", place=place)

    def patient(self, name, start):
        for visit in range(5):
            self.session(name, start + visit * 9000, 30)

    def rotating(self, name, start, number):
        for turn in range(int(self.draw.integers(100, 200))):
            at = start + turn * 30 + float(self.draw.normal(0, 2))
            self.event(f"{name}-{turn}", at, "Product Viewed", address=f"172.18.{number}.7")
            self.robots[f"{name}-{turn}"] = "rotating"

    def farm(self, kind, name, start, number):
        """Many fresh ids behind one address or machine, all (a loose one: most) with one errand."""
        about = (
            {"machine": f"hw-{name}"}
            if kind == "machine_farm"
            else {"address": f"172.{16 + (kind == 'loose_farm')}.{number}.7"}
        )
        for worker in range(int(self.draw.integers(20, 60))):
            errand = ["Product List Viewed", "Product Viewed", "Product Added", "Order Completed"]
            if kind == "loose_farm" and self.draw.random() < 0.25:
                errand.insert(2, "Coupon Received")
            device, at = f"{name}-{worker}", start + float(self.draw.exponential(300)) * worker / 2
            for label in errand:
                self.event(device, at, label, **about)
                at += float(self.draw.normal(20, 2))
            self.robots[device] = kind

    def table(self):
        schema = arrow_schema(TABLES["events"])
        return pa.Table.from_pylist(self.rows, schema=schema)


def planted(*, people, programs, seed, kinds=KINDS):
    """Traffic of some people and so many programs of each kind.

    Returns:
        The traffic; its `robots` says which devices are programs, and of which kind.
    """
    traffic = Traffic(seed)
    traffic.people(people)
    for kind in kinds:
        for number in range(programs):
            traffic.program(kind, number)
    return traffic


def quality_of(marked, traffic):
    """Precision and recall over devices, and recall by kind."""
    devices = {row["anonymous_id"] for row in traffic.rows}
    found = marked & devices
    right = found & set(traffic.robots)
    by_kind = {}
    for kind in set(traffic.robots.values()):
        of_kind = {d for d, k in traffic.robots.items() if k == kind}
        by_kind[kind] = len(of_kind & found) / len(of_kind)
    precision = len(right) / len(found) if found else 1.0
    return precision, len(right) / max(1, len(traffic.robots)), dict(sorted(by_kind.items()))
