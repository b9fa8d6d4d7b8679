"""The demo: the loop on a real grocer's data, and in a twin whose truth is known."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from regulars.datasets import complete_journey
from regulars.errors import InputError
from regulars.rehearse.apart import Apart
from regulars.rehearse.baselines.comparison import compare_policies
from regulars.rehearse.readings import (
    collected,
    effects_by_turn,
    fates_by_turn,
    interval_counts,
    programme,
    table_rows,
)
from regulars.rehearse.reality import HISTORY_WEEKS, run_reality_check
from regulars.rehearse.report import write_report
from regulars.rehearse.twin_run import TwinRun, run_in_twin
from regulars.twin import Plan, Twin, figure_rows, moments, watched_habits
from regulars.twin.households import read_households
from regulars.understand.value.service import backtest

Progress = Callable[[str, float], None]

_REAL = "real.json"


@dataclass(frozen=True)
class DemoPlan:
    """What a demo is asked for; the same plan in the same folder continues.

    Attributes:
        turns: Weekly turns in the twin, 1 or more.
        customers: Customers of the twin, 100 or more.
        seed: Root of every draw.
        world: normal, null, hostile, shift or outage.
        skin: zh or us.
        skip_real: True leaves the real grocer's part out.
    """

    turns: int = 12
    customers: int = 20_000
    seed: int = 7
    world: str = "normal"
    skin: str = "zh"
    skip_real: bool = False


def run_demo(
    folder: Path,
    plan: DemoPlan,
    *,
    workers: int = 2,
    progress: Progress = lambda _what, _share: None,
) -> dict[str, Any]:
    """Run or continue the demo and write its report.

    Args:
        folder: Folder of the demo; `grocer` and `twin` in it become workspaces.
        plan: What is asked for.
        workers: Threads of the engine and senders.
        progress: Told "stage: what" and the share of the stage that is done.

    Returns:
        The report, as in `report.json`.

    Raises:
        InputError: The folder holds a demo of another plan.
    """
    started = time.perf_counter()
    _same_plan(folder, plan)
    twin_plan = Plan(plan.customers, plan.seed, plan.world, plan.skin, turns=plan.turns)
    real = None if plan.skip_real else Apart(_real, folder, plan, workers)

    def told(what: str, share: float) -> None:
        progress(what, share)
        if real:
            real.relay(progress)

    report: dict[str, Any] = {"settings": asdict(plan)}
    report |= _simulated(folder, twin_plan, workers, told)
    report["settings"]["weekly_budget"] = Twin.begin(twin_plan).suggested_budget()
    report["figures"] = figure_rows(plan.world)
    report["moments"] = _moments(plan.seed)
    timing = {"twin_seconds": time.perf_counter() - started}
    if real:
        real.wait(progress)
        report |= json.loads((folder / _REAL).read_text(encoding="utf-8"))
    timing["total_seconds"] = time.perf_counter() - started
    report["timing"] = {name: round(seconds, 2) for name, seconds in timing.items()}
    progress("report: writing", 0.5)
    write_report(folder, report, locale="zh-CN" if plan.skin == "zh" else "en")
    progress("report: done", 1.0)
    return report


def _same_plan(folder: Path, plan: DemoPlan) -> None:
    """Refuse to mix two demos in one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "demo.json"
    said = json.dumps(asdict(plan), sort_keys=True)
    if path.is_file() and path.read_text(encoding="utf-8") != said:
        raise InputError(
            f"{folder} holds a demo with other arguments ({path.read_text(encoding='utf-8')}); "
            "use the same ones to continue it, or another --dir"
        )
    part = path.with_suffix(".part")
    part.write_text(said, encoding="utf-8")
    part.replace(path)


def _real(folder: Path, plan: DemoPlan, workers: int, progress: Progress) -> None:
    """Import Complete Journey week by week with a turn after each, then back-test.

    What the report says of it is kept in the folder; a part that is done is not done again.
    """
    if (folder / _REAL).is_file():
        progress("real grocer: done", 1.0)
        return
    twin = Twin.begin(Plan(plan.customers, plan.seed, plan.world, plan.skin, turns=plan.turns))
    steps = iter(range(1, 1000))
    app = run_reality_check(
        folder / "grocer",
        seed=plan.seed,
        offers=twin.write_offers(folder / "grocer-offers"),
        workers=workers,
        progress=lambda what: progress(f"real grocer: {what}", min(next(steps) / 16, 0.95)),
    )
    progress("real grocer: back-test", 0.97)
    tested = backtest(app.engine, as_of=complete_journey.last_day(HISTORY_WEEKS), horizon_weeks=13)
    said = {
        "collect": collected(app),
        "backtest": tested.to_report(),
        "reality_check": interval_counts(app) | {"programme": programme(app)},
    }
    part = (folder / _REAL).with_suffix(".part")
    part.write_text(json.dumps(said), encoding="utf-8")
    part.replace(folder / _REAL)
    progress("real grocer: done", 1.0)


def _simulated(folder: Path, plan: Plan, workers: int, progress: Progress) -> dict[str, Any]:
    """Turn the loop in the twin, and the baselines beside it."""
    steps = iter(range(1, 1000))
    run = run_in_twin(
        folder / "twin",
        plan,
        workers=workers,
        progress=lambda what: progress(
            f"loop in the twin: {what}", min(next(steps) / (plan.turns + 3), 0.98)
        ),
    )
    progress("loop in the twin: done", 1.0)
    policies = compare_policies(
        run, folder / "twin" / "world", lambda name, share: progress(f"baselines: {name}", share)
    )
    truth = sum(week["gross"] for week in run.weeks) - sum(policies["nobody"]["margin_by_turn"])
    found = programme(run.app) or {}
    return {
        "turns": _turns(run),
        "programme": found | {"truth": round(truth, 2)},
        "policies": policies,
        "adjustments": table_rows(
            run.app,
            "adjustments",
            ("turn", "subject", "before", "after", "evidence"),
            "turn",
            "subject",
        ),
        "predictions": table_rows(
            run.app,
            "predictions",
            ("measured_turn", "campaign_id", "predicted", "measured", "low", "high", "inside"),
            "measured_turn",
            "campaign_id",
        ),
        "twin_collect": collected(run.app),
    }


def _moments(seed: int) -> list[dict[str, Any]]:
    """Shopping habits of the real households, beside those of a twin of as many customers."""
    households = read_households()
    as_many = Twin.begin(Plan(len(households.rate), seed, "normal", "us"))
    real, twin = moments(households.habits), moments(watched_habits(as_many))
    return [{"name": name, "real": real[name], "twin": twin[name]} for name in real]


def _turns(run: TwinRun) -> list[dict[str, Any]]:
    fates, effects = fates_by_turn(run.app), effects_by_turn(run.app)
    return [
        {
            "turn": week["turn"],
            **fates[week["turn"]],
            "spend": week["spend"],
            "contact_cost": fates[week["turn"]]["spend"],
            "effect": effects.get(week["turn"]),
            "truth": week["truth"],
            "opted_out": week["opted_out"],
        }
        for week in run.weeks
    ]
