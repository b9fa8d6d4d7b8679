"""The charts of the pages: the house charts, named in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from regulars.charts import (
    Interval,
    Prediction,
    interval_plot,
    line_plot,
    prediction_plot,
    stacked_bars,
)
from regulars.charts.look import Option
from regulars.decide.budget.curves import Curve
from regulars.measure.experiments.readout import Finding
from regulars.measure.running import Came, Comparison
from regulars.measure.scorecard import INDICATORS, Scorecard, Unit
from regulars.reach.journeys.dry_run.summing import DayVolume
from regulars.reach.loyalty.reporting.service import Month
from regulars.serve.console.rendering import say
from regulars.serve.console.words import CELL_SEGMENTS, CHANNELS, N_, RECIPES, word
from regulars.serve.http.measure import Campaign, TurnEffect
from regulars.serve.http.timeline import MonthSpend
from regulars.serve.sending.explaining import Called
from regulars.understand.segments.audiences.membership.service import RefreshCount

CURVE_STEPS = 20
LEVEL_LABELS = 3
"""More names below an axis than these are written slanting, so that none is left out."""
SLANTED = {"interval": 0, "rotate": 30, "width": 120, "overflow": "truncate"}
COMING_IN = N_("come in")
EXPECTED, MEASURED = N_("expected"), N_("measured")
HELD, MISSED = N_("the interval holds what was expected"), N_("the interval misses it")
POINTS_OF_SHARE, CUSTOMERS = N_("Points of per cent"), N_("Customers")
SMALLEST = N_("Smallest effect we could see")
TURN, PAID, MEMBERS = N_("Turn"), N_("Paid"), N_("Members")
SPENT_ON_IT = N_("Money in the cell")
PERIOD_ENDS, TRIED_IN = N_("Period ends"), N_("Turn and challenger")
LOSS_GAP = N_("Loss against the champion's")
POINTS, GIVEN, SPENT, LAPSED = N_("Points"), N_("given"), N_("spent"), N_("expired")


def effects_chart(request: Request, effects: Sequence[TurnEffect]) -> Option:
    """Draw what the contacts of each turn caused.

    Returns:
        An ECharts option; without points while nothing was measured.
    """
    intervals = [
        Interval(str(e.turn), e.effect.estimate, e.effect.low, e.effect.high) for e in effects
    ]
    option = interval_plot(
        intervals,
        title="",
        x_name=say(request, TURN),
        y_name=_currency(request),
        measured=say(request, MEASURED),
    )
    return _on_page(_with_room(option, intervals))


def predictions_chart(request: Request, campaigns: Sequence[Campaign]) -> Option:
    """Draw what was expected of each campaign beside what was measured.

    Returns:
        An ECharts option; without points while nothing can be compared.
    """
    intervals = [
        Interval(c.offer, p.measured, p.low, p.high, p.predicted)
        for c in campaigns
        if (p := c.prediction) and p.measured is not None
    ]
    option = interval_plot(
        intervals,
        title="",
        x_name="",
        y_name=_currency(request),
        measured=say(request, MEASURED),
        truth=say(request, EXPECTED),
    )
    return _on_page(_with_room(option, intervals))


def caused_chart(
    request: Request, effects: Sequence[Comparison], names: Mapping[str, Called]
) -> Option:
    """Draw what each campaign, journey and offer caused, the oldest at the left.

    Args:
        request: Whose language and currency.
        effects: What was caused, the newest first.
        names: What each is called, by its name.

    Returns:
        An ECharts option; without points while nothing may be read.
    """
    intervals = [
        Interval(_short(request, names[one.name]), m.estimate, m.low, m.high)
        for one in reversed(effects)
        if (m := one.margin)
    ]
    option = interval_plot(
        intervals, title="", x_name="", y_name=_currency(request), measured=say(request, MEASURED)
    )
    if len(intervals) > LEVEL_LABELS:
        option["xAxis"]["axisLabel"] |= SLANTED
    return _on_page(_with_room(option, intervals))


def _short(request: Request, called: Called) -> str:
    """Name something below an axis: what tells it from its neighbours comes first."""
    return (
        f"{called.turn} · {called.name}" if called.turn and called.name else _name(request, called)
    )


def _name(request: Request, called: Called) -> str:
    return called.zh if request.state.caller.locale == "zh-CN" else called.en


def findings_chart(request: Request, findings: Sequence[Finding]) -> Option:
    """Draw what each variant changed against the control.

    Args:
        request: Whose language and currency.
        findings: Of one metric, a finding per variant; shares are drawn in points of per cent.

    Returns:
        An ECharts option; without points while nothing may be read.
    """
    is_share = any(one.metric == "buyers" for one in findings)
    scale = 100 if is_share else 1
    known = [one for one in findings if one.low == one.low]
    intervals = [
        Interval(one.variant, *(round(scale * part, 4) for part in (one.effect, one.low, one.high)))
        for one in known
    ]
    unit = say(request, POINTS_OF_SHARE) if is_share else ""
    option = interval_plot(
        intervals, title="", x_name="", y_name=unit, measured=say(request, MEASURED)
    )
    return _on_page(_with_room(option, intervals))


def promises_chart(request: Request, came: Sequence[Came], names: Mapping[str, Called]) -> Option:
    """Draw what was promised of each offer in a turn against what came.

    Args:
        request: Whose language.
        came: What was promised, and what came.
        names: What each is called, by its name.

    Returns:
        An ECharts option; without points while nothing can be compared.
    """
    return _on_page(
        prediction_plot(
            [
                Prediction(
                    _name(request, names[one.name]), one.predicted, one.measured, one.low, one.high
                )
                for one in came
            ],
            title="",
            x_name=f"{say(request, EXPECTED)}, {_currency(request)}",
            y_name=f"{say(request, MEASURED)}, {_currency(request)}",
            inside=say(request, HELD),
            outside=say(request, MISSED),
        )
    )


def detectable_chart(
    request: Request, steps: Sequence[tuple[int, float]], *, is_share: bool
) -> Option:
    """Draw which effect experiments of several sizes would find.

    Args:
        request: Whose language and currency.
        steps: Customers and the smallest effect found with so many.
        is_share: True for effects on a share, shown in points of per cent.

    Returns:
        An ECharts option; without points where nothing could be sized.
    """
    unit = say(request, POINTS_OF_SHARE) if is_share else _currency(request)
    scale = 100 if is_share else 1
    return _on_page(
        line_plot(
            {"effect": [round(effect * scale, 4) for _, effect in steps]},
            labels=[f"{customers:,}" for customers, _ in steps],
            title="",
            x_name=say(request, CUSTOMERS),
            y_name=unit,
            names={"effect": say(request, SMALLEST)},
        )
    )


def volumes_chart(request: Request, days: Sequence[DayVolume]) -> Option:
    """Draw what a dry run found day by day: messages by channel, and who comes in.

    Returns:
        An ECharts option; without bars where nothing would have happened.
    """
    channels = sorted({name for one in days for name in one.sent})
    parts = {name: [float(one.sent.get(name, 0)) for one in days] for name in channels}
    entered = [float(one.entered) for one in days]
    return _on_page(
        stacked_bars(
            {"entered": entered, **parts},
            labels=[one.day[5:] for one in days],
            title="",
            x_name="",
            y_name="",
            names={"entered": say(request, COMING_IN)}
            | {name: say(request, word(CHANNELS, name)) for name in channels},
        )
    )


def spend_chart(request: Request, months: Sequence[MonthSpend]) -> Option:
    """Draw what a customer paid by month.

    Returns:
        An ECharts option; without bars for somebody who never bought.
    """
    return _on_page(
        stacked_bars(
            {"paid": [float(m.spend) for m in months]},
            labels=[m.month.strftime("%Y-%m") for m in months],
            title="",
            x_name="",
            y_name=_currency(request),
            names={"paid": say(request, PAID)},
        )
    )


def members_chart(request: Request, lines: Sequence[RefreshCount]) -> Option:
    """Draw how an audience grew and shrank.

    Returns:
        An ECharts option; without points before its first refresh.
    """
    zone = ZoneInfo(request.state.caller.workspace.settings.retailer.zone)
    return _on_page(
        line_plot(
            {"members": [float(one.members) for one in lines]},
            labels=[f"{one.at.astimezone(zone):%m-%d %H:%M}" for one in lines],
            title="",
            x_name="",
            y_name=say(request, MEMBERS),
            names={"members": say(request, MEMBERS)},
        )
    )


def points_chart(request: Request, months: Sequence[Month]) -> Option:
    """Draw points given above the line, spent and expired ones below it, by month.

    Returns:
        An ECharts option; without bars while there are no points.
    """
    return _on_page(
        stacked_bars(
            {
                "sent": [float(m.issued) for m in months],
                "holdout": [-float(m.redeemed) for m in months],
                "deferred": [-float(m.expired) for m in months],
            },
            labels=[m.month for m in months],
            title="",
            x_name="",
            y_name=say(request, POINTS),
            names={
                "sent": say(request, GIVEN),
                "holdout": say(request, SPENT),
                "deferred": say(request, LAPSED),
            },
        )
    )


def curves_chart(
    request: Request, curves: Sequence[Curve], *, most: float, offer_names: Mapping[str, str]
) -> Option:
    """Draw what money in each cell brings.

    Args:
        request: Whose language and currency.
        curves: The cells to draw, the most important first.
        most: Money at the right end of the axis.
        offer_names: Name by offer id.

    Returns:
        An ECharts option; without lines where there is no curve.
    """
    spends = [most * step / CURVE_STEPS for step in range(CURVE_STEPS + 1)]
    digits = 0 if most >= CURVE_STEPS else 2
    names = {
        str(curve.cell): " / ".join((
            say(request, word(CELL_SEGMENTS, curve.cell.segment)),
            say(request, word(CHANNELS, curve.cell.channel)),
            offer_names.get(curve.cell.offer_id) or curve.cell.offer_id,
        ))
        for curve in curves
    }
    return _on_page(
        line_plot(
            {str(curve.cell): curve.value(spends).round(2).tolist() for curve in curves},
            labels=[f"{spend:,.{digits}f}" for spend in spends],
            title="",
            x_name=say(request, SPENT_ON_IT),
            y_name=_currency(request),
            names=names,
        )
    )


def history_chart(request: Request, scorecard: Scorecard, key: str) -> Option | None:
    """Draw one indicator over the periods up to now.

    Returns:
        An ECharts option with a gap where it is unknown or cut short; None when fewer than two
        periods are left.
    """
    values = [reading.whole for reading in scorecard.history[key]]
    if sum(value is not None for value in values) < 2:
        return None
    indicator = INDICATORS[key]
    is_share = indicator.unit is Unit.SHARE
    name = indicator.words(request.state.caller.locale)["name"]
    option = line_plot(
        {key: [None if v is None else 100 * v if is_share else v for v in values]},
        labels=[f"{one.last:%m-%d}" for one in scorecard.periods],
        title="",
        x_name=say(request, PERIOD_ENDS),
        y_name="%" if is_share else _currency(request) if indicator.unit is Unit.MONEY else "",
        names={key: name},
    )
    return _on_page(option)


def trials_chart(request: Request, trials: Sequence[Mapping[str, Any]]) -> Option | None:
    """Draw how much more or less challengers lost than the champion, trial by trial.

    Returns:
        An ECharts option; None while nothing could be compared.
    """
    intervals = [
        Interval(
            f"{one['turn']} {say(request, word(RECIPES, one['challenger']))}",
            one["metrics"]["estimate"],
            one["metrics"]["low"],
            one["metrics"]["high"],
        )
        for one in trials
    ]
    if not intervals:
        return None
    option = interval_plot(
        intervals,
        title="",
        x_name=say(request, TRIED_IN),
        y_name=say(request, LOSS_GAP),
        measured=say(request, LOSS_GAP),
    )
    return _on_page(_with_room(option, intervals))


def fitted(option: Option, intervals: Sequence[Interval]) -> Option:
    """Fit a chart of intervals into a page."""
    return _on_page(_with_room(option, intervals))


def _with_room(option: Option, intervals: Sequence[Interval]) -> Option:
    """Make the axis span the intervals: ECharts fits it to points only, not to whiskers."""
    ends = [
        [place, end]
        for place, one in enumerate(intervals)
        for end in (one.low, one.high)
        if end is not None
    ]
    option["series"].append({"type": "scatter", "symbolSize": 0, "silent": True, "data": ends})
    return option


def _currency(request: Request) -> str:
    return str(request.state.caller.workspace.settings.retailer.currency)


def _on_page(option: Option) -> Option:
    """Fit a chart into a page: the heading above it is its title already."""
    has_legend = len(option["legend"]["data"]) > 1
    option["title"]["show"] = False
    option["legend"] |= {"top": 0, "show": has_legend, "type": "scroll"}
    option["grid"] |= {"top": 56 if has_legend else 32, "right": 12}
    option["xAxis"] |= {"nameLocation": "middle", "nameGap": 28}
    if option["xAxis"]["name"]:
        option["grid"]["bottom"] = 28
    if option["tooltip"]["trigger"] == "axis":
        # As HTML it would come with inline styles, which the content security policy forbids.
        option["tooltip"]["renderMode"] = "richText"
    return option
