"""The loop beside the baselines: the same twin, luck, budget and rules for everybody."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from regulars.rehearse.baselines.policies import POLICIES, play, watched_history
from regulars.rehearse.twin_run import TwinRun


def compare_policies(
    run: TwinRun, folder: Path, progress: Callable[[str, float], None]
) -> dict[str, dict[str, Any]]:
    """Play every baseline policy in the twin the loop was run in.

    Args:
        run: The loop's run.
        folder: Where finished baselines are kept, so that a killed comparison continues.
        progress: Told the policy and the share done.

    Returns:
        By policy: margin_by_turn (true margin of all customers after offers and the cost of
        contacts), gross_by_turn (before that cost), contacts_by_turn, spend_by_turn and
        opted_out_by_turn.
    """
    found: dict[str, dict[str, Any]] = {}
    start = None
    for place, name in enumerate(POLICIES):
        progress(name, place / len(POLICIES))
        kept = folder / f"policy-{name}.json"
        if not kept.is_file():
            start = start or watched_history(run.twin)
            plan = run.twin.plan
            played = play(
                run.twin, start, policy=name, budget=run.twin.suggested_budget(), turns=plan.turns
            )
            part = kept.with_suffix(".part")
            part.write_text(json.dumps(played.to_report()), encoding="utf-8")
            part.replace(kept)
        found[name] = json.loads(kept.read_text(encoding="utf-8"))
    progress("done", 1.0)
    return found | {"loop": _loop(run)}


def _loop(run: TwinRun) -> dict[str, Any]:
    names = ("margin", "gross", "contacts", "spend", "opted_out")
    return {f"{name}_by_turn": [week[name] for week in run.weeks] for name in names}
