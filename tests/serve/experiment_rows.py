"""Rows of campaigns and effects for the tests of experiments and effects: one of every kind."""

from datetime import UTC, date, datetime
from decimal import Decimal

METRICS = (("margin", 1), ("residual_value", 2), ("sales", 4), ("orders", 0.1))


def assigned(name, held, *, day, customers=60):
    """A campaign's customers, every `held`-th held out; 0 for nobody."""
    return [
        {
            "campaign_id": name,
            "version": 1,
            "phase": "all",
            "customer_id": f"c{n:03}",
            "assignment": "contact",
            "is_campaign_holdout": bool(held) and n % held == 0,
            "propensity": 0.8,
            "send_propensity": 0.8,
            "assigned_at": datetime(day.year, day.month, day.day, 3, tzinfo=UTC),
            "business_date": day,
            "window_days": 7,
        }
        for n in range(customers)
    ]


def written(name, *, status="ok", control=12, p=0.6, margin=640.0, claims=True):
    """What was measured of a written campaign."""
    return [
        {
            "campaign_id": name,
            "metric": metric,
            "from_day": date(2026, 2, 2),
            "to_day": date(2026, 2, 9),
            "assigned": 60,
            "treated": 60 - control,
            "control": control,
            "holdout_share": 0.2,
            "srm_p": p,
            "status": status,
            "estimate": scale * margin,
            "low": scale * (margin - 500),
            "high": scale * (margin + 500),
            "level": 0.9,
            "mde": scale * 300.0,
            "cost": Decimal("12.50"),
            "looks": 2,
            "claims": claims and metric == "margin",
        }
        for metric, scale in METRICS
    ]


ASSIGNED = [
    *assigned("tea-weeks", 5, day=date(2026, 2, 2)),
    *assigned("journey/welcome", 5, day=date(2026, 2, 9)),
    *assigned("broken-split", 5, day=date(2026, 2, 2)),
    *assigned("nobody-out", 0, day=date(2026, 2, 2)),
    *assigned("just-begun", 5, day=date(2999, 1, 1)),
]
MEASURED = [
    *written("tea-weeks"),
    *written("journey/welcome", margin=120.0, claims=False),
    *written("broken-split", status="srm", p=2.4e-13),
]
