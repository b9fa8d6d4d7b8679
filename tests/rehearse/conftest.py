"""A report made by hand: three turns, every part filled."""

import pytest


@pytest.fixture
def report():
    """Give a whole report that keeps its contract."""
    return {
        "settings": {"turns": 3, "customers": 100, "seed": 7, "world": "normal", "skin": "zh"},
        "collect": _collect(2469),
        "backtest": {
            "model": "spend_blend", "horizon_weeks": 13, "mae": 165.25, "spearman": 0.831,
            "naive_mae": 178.39, "naive_spearman": 0.814,
            "blend_mae": 170.87, "blend_spearman": 0.8245, "level": 0.9,
            "mae_over_naive": {"estimate": -13.14, "low": -16.0, "high": -10.0},
            "mae_over_blend": {"estimate": -5.62, "low": -7.0, "high": -4.0},
            "deciles": [{"decile": d, "expected": 10.0 * d, "actual": 11.0 * d} for d in range(1, 11)],
        },
        "reality_check": {
            "turns": 2, "intervals": 8, "containing_zero": 7, "claims": 0,
            "by_metric": {"margin": {"intervals": 8, "containing_zero": 7}},
            "programme": _effect(-10.0, -50.0, 30.0) | {"claims": False},
        },
        "turns": [_turn(1, 100.0, 90.0), _turn(2, None, 110.0), _turn(3, 50.0, 400.0)],
        "programme": _effect(300.0, 100.0, 500.0)
        | {"from_turn": 1, "to_turn": 3, "claims": True, "truth": 310.5},
        "policies": {
            name: {"margin_by_turn": margins, "contacts_by_turn": [1, 2, 3]}
            for name, margins in {
                "nobody": [1000.0, 1000.0, 1000.0],
                "loop": [1000.0, 1030.0, 1060.0],
                "informed": [1050.0, 1050.0, 1050.0],
                "oracle": [1090.0, 1090.0, 1090.0],
                "everybody": [990.0, 980.0, 970.0],
            }.items()
        },
        "adjustments": [
            _change(2, "spend_share", None, 1.0),
            _change(3, "spend_share", 1.0, 0.5),
            _change(3, "effect.news:sms", 0.1, 0.2),
        ],
        "predictions": [_promise(1, 95.0, 100.0), _promise(2, 80.0, None), _promise(3, 400.0, 50.0)],
        "figures": [{"name": "lift.news", "value": 0.1, "why": "orders <a contact> adds"}],
        "moments": [{"name": "weekly orders, mean", "real": 1.19, "twin": 1.21}],
        "twin_collect": _collect(100),
        "timing": {"total_seconds": 1.5},
    }  # fmt: skip


def _collect(customers):
    return {
        "customers": customers, "orders": 500, "order_lines": 4000, "sales": 12345.67,
        "quarantined": 0,
    }  # fmt: skip


def _effect(estimate, low, high):
    return {"estimate": estimate, "low": low, "high": high, "level": 0.9, "mde": 60.0}


def _turn(number, estimate, truth):
    low, high = (None, None) if estimate is None else (estimate - 40, estimate + 40)
    effect = _effect(estimate, low, high) | {"status": "too_few" if estimate is None else "ok"}
    return {
        "turn": number, "eligible": 100, "sent": 40, "abstained": 20, "holdout": 15, "deferred": 5,
        "skipped": {"frequency_cap": 12, "odd_<reason>": 3}, "failed": {"refused": 4}, "unknown": 1,
        "spend": 20.5, "effect": effect, "truth": truth,
    }  # fmt: skip


def _change(turn, subject, before, after):
    return {"turn": turn, "subject": subject, "before": before, "after": after, "evidence": "{}"}


def _promise(turn, predicted, measured):
    low, high = (None, None) if measured is None else (measured - 40, measured + 40)
    inside = None if measured is None else low <= predicted <= high
    return {
        "measured_turn": turn, "campaign_id": "*", "predicted": predicted, "measured": measured,
        "low": low, "high": high, "inside": inside,
    }  # fmt: skip
