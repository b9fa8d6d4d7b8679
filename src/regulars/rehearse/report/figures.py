"""The charts of the report, each answering one question of its page."""

from regulars.charts import (
    Decile,
    Interval,
    Prediction,
    cumulative_lines,
    decile_bars,
    interval_plot,
    prediction_plot,
    stacked_bars,
)
from regulars.charts.look import Option
from regulars.rehearse.report.contract import Report
from regulars.rehearse.report.standing import extra_margin
from regulars.rehearse.report.words import Words

FATES = ("sent", "holdout", "abstained", "deferred", "skipped", "failed", "unknown")
ORDER = ("oracle", "informed", "loop", "propensity", "rfm", "random", "everybody")


def report_figures(report: Report, words: Words) -> dict[str, Option]:
    """Draw what the report's figures allow.

    Args:
        report: A checked report.
        words: Words of the page's language.

    Returns:
        Charts by name, without titles: the page asks the question above each.
    """
    found = {"fates": _fates(report, words), "effects": _effects(report, words)}
    if extra_margin(report):
        found["policies"] = _policies(report, words)
    if any(row["measured"] is not None for row in report.get("predictions", [])):
        found["predictions"] = _predictions(report, words)
    if report.get("backtest", {}).get("deciles"):
        found["backtest"] = _deciles(report, words)
    return found


def _fates(report: Report, words: Words) -> Option:
    counts: dict[str, list[float]] = {name: [] for name in FATES}
    for turn in report["turns"]:
        for name, values in counts.items():
            here = turn[name]  # type: ignore[literal-required]
            values.append(sum(here.values()) if isinstance(here, dict) else here)
    return stacked_bars(
        counts, labels=_turns(report), x_name=words["turn"], y_name=words["customers"],
        names={name: words[f"fate_{name}"] for name in FATES},
    )  # fmt: skip


def _effects(report: Report, words: Words) -> Option:
    points = []
    for turn in report["turns"]:
        effect = turn["effect"]
        ends = (effect["estimate"], effect["low"], effect["high"]) if effect else (None,) * 3
        points.append(Interval(str(turn["turn"]), *ends, turn["truth"]))
    return interval_plot(
        points, x_name=words["turn"], y_name=words["margin_axis"],
        measured=words["measured"], truth=words["truth"],
    )  # fmt: skip


def _policies(report: Report, words: Words) -> Option:
    extra = extra_margin(report)
    ordered = [*(name for name in ORDER if name in extra), *sorted(extra.keys() - set(ORDER))]
    return cumulative_lines(
        {name: extra[name] for name in ordered}, labels=_turns(report),
        x_name=words["turn"], y_name=words["margin_axis"],
        names={name: words.get(f"policy_{name}", name) for name in ordered},
    )  # fmt: skip


def _predictions(report: Report, words: Words) -> Option:
    points = [
        Prediction(
            f"{words['turn']} {row['measured_turn']}",
            row["predicted"], row["measured"], row["low"], row["high"],
        )
        for row in report.get("predictions", [])
        if row["campaign_id"] == "*"
        and row["measured"] is not None
        and row["low"] is not None
        and row["high"] is not None
    ]  # fmt: skip
    return prediction_plot(
        points, x_name=words["predicted_axis"], y_name=words["measured_axis"],
        inside=words["prediction_inside"], outside=words["prediction_outside"],
    )  # fmt: skip


def _deciles(report: Report, words: Words) -> Option:
    tenths = report["backtest"].get("deciles", [])
    return decile_bars(
        [Decile(tenth["expected"], tenth["actual"]) for tenth in tenths],
        x_name=words["decile_axis"], y_name=words["spend_axis"],
        expected=words["expected"], actual=words["actual"],
    )  # fmt: skip


def _turns(report: Report) -> list[str]:
    return [str(turn["turn"]) for turn in report["turns"]]
