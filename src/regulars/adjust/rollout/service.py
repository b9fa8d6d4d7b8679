"""Take every campaign as far as it may go now: enrol, judge, stop, finish, or ask a person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regulars.adjust.rollout.gates import Gate, Judgement, Returns, judge_phase
from regulars.errors import InputError, NotAllowed
from regulars.govern.approvals.service import Subject
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.campaigns.definition import AudienceKind, Phase
from regulars.reach.campaigns.lifecycle import CampaignState
from regulars.reach.campaigns.running.service import (
    drop,
    drop_triggered,
    enrol_phase,
    hold,
    is_going,
    mark_phase,
    note_phase,
    pause_within,
    run_of,
    skip_phase,
    trigger_run,
)
from regulars.reach.campaigns.service import (
    CampaignRow,
    PhaseRow,
    add_task,
    campaign_within,
    end_tasks,
    list_campaigns,
    move,
)
from regulars.settings import Settings

if TYPE_CHECKING:
    from regulars.reach.standing.gate import Gate as RulesOfContact

ACTOR = "rollout"
TASK = "rollout"
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Means:
    """What taking campaigns on needs.

    Attributes:
        settings: Settings of the workspace.
        gate: The rules of contact.
        subject_of: Gives a campaign with all it rests on as it stands now.
        keep: Keeps who was assigned to what, for measuring: campaign, phase, members.
    """

    settings: Settings
    gate: "RulesOfContact"
    subject_of: Callable[[CampaignRow], Subject]
    keep: Callable[[CampaignRow, str, Sequence[Mapping[str, Any]]], None]


@dataclass(frozen=True)
class Move:
    """Something that was done with a campaign.

    Attributes:
        campaign_id: Which.
        phase: Phase it is about; "" for the whole campaign.
        did: enrolled, passed, asked, stopped, finished or refused.
        why: In words; "" where it needs none.
    """

    campaign_id: str
    phase: str
    did: str
    why: str = ""


def advance(state: State, means: Means, *, now: datetime, only: str = "") -> list[Move]:
    """Take campaigns on: what is due is enrolled, judged, stopped or finished.

    Args:
        state: The transactional store.
        means: What it needs.
        now: The moment, aware.
        only: One campaign; "" for all of them.

    Returns:
        What was done, in the order it was done; empty when nothing was due.
    """
    done: list[Move] = []
    for row in list_campaigns(state):
        if only and row.campaign.id != only:
            continue
        if row.state is CampaignState.PAUSED:
            # What a channel gave back meanwhile must not go out either.
            with state.transaction() as opened:
                hold(opened, campaign_within(opened, row.campaign.id), now=now)
        elif row.state is CampaignState.STOPPED:
            done += _end_stopped(state, row.campaign.id, now=now)
        elif row.state is CampaignState.RUNNING:
            done += _take_on(state, row.campaign.id, means, now=now)
    return done


def go_on(state: State, campaign_id: str, *, actor: str, now: datetime, note: str = "") -> str:
    """Let the next phase begin by a person's word, whatever the gate says.

    Args:
        state: The transactional store.
        campaign_id: A running campaign.
        actor: Who says so, for the audit log.
        now: The moment, aware.
        note: Why.

    Returns:
        The phase that is let pass.

    Raises:
        NotAllowed: The campaign is not running, or still sends this phase.
        InputError: It has no phase left to let pass.
    """
    with state.transaction() as opened:
        row = campaign_within(opened, campaign_id)
        if row.state is not CampaignState.RUNNING:
            raise NotAllowed(
                "campaign-state", f"campaign {campaign_id} is {row.state}, not running"
            )
        phase = _current(row)
        if phase is None or phase.state != "sending":
            raise InputError(f"campaign {campaign_id} has no phase that waits for a word")
        if is_going(opened, run_of(campaign_id, phase.name)):
            raise NotAllowed(
                "rollout", f"phase {phase.name} is still being sent; wait until it is done"
            )
        says = f"let pass by {actor}" + (f": {note}" if note else "")
        mark_phase(opened, campaign_id, phase.position, state="waived", note=says, now=now)
        end_tasks(opened, TASK, f"campaign/{campaign_id}", actor=actor, now=now)
        record(
            opened,
            actor=actor,
            action="campaign.go_on",
            subject=f"campaign/{campaign_id}",
            detail={"phase": phase.name, "note": note},
            at=now,
        )
    return phase.name


def gate_of(state: State, row: CampaignRow, *, now: datetime) -> dict[str, Judgement]:
    """Judge every enrolled phase of a campaign as it stands; nothing is done about it.

    Returns:
        The judgement by phase; under "" for a campaign whose customers come by triggers.
    """
    with state.reading() as opened:
        if row.campaign.audience.kind is AudienceKind.TRIGGER:
            run = trigger_run(row.campaign.id)
            return {"": _judge(opened, row, Phase("", wait_hours=0), run, since=now, now=now)}
        found = {}
        for phase in row.phases:
            if phase.enrolled_at:
                since = datetime.fromisoformat(phase.enrolled_at)
                run = run_of(row.campaign.id, phase.name)
                planned = row.campaign.phases[phase.position]
                found[phase.name] = _judge(opened, row, planned, run, since=since, now=now)
        return found


def _take_on(state: State, campaign_id: str, means: Means, *, now: datetime) -> list[Move]:
    with state.reading() as opened:
        row = campaign_within(opened, campaign_id)
    judged = gate_of(state, row, now=now)
    waived = {one.name for one in row.phases if one.state == "waived"}
    for phase, judgement in judged.items():
        if judgement.gate is Gate.STOP and phase not in waived:
            return [_auto_stop(state, row, phase, judgement, now=now)]
    if row.campaign.audience.kind is AudienceKind.TRIGGER:
        return _end_triggers(state, row, now=now)
    if row.campaign.not_after and now > row.campaign.not_after:
        return _close_window(state, row, now=now)
    return _next_phase(state, row, judged, means, now=now)


def _next_phase(
    state: State,
    row: CampaignRow,
    judged: Mapping[str, Judgement],
    means: Means,
    *,
    now: datetime,
) -> list[Move]:
    phase = _current(row)
    if phase is not None and phase.state == "waiting":
        return [_enrol(state, row, phase, means, now=now)]
    # The last phase has no next one to hold back: it is over once everything has gone out.
    if phase is None or phase.position == len(row.phases) - 1:
        return _finish(state, row, now=now)
    judgement = judged[phase.name]
    if judgement.gate is Gate.GO or not phase.members:
        passed = _pass(state, row, phase, now=now)
        return [passed, *_take_on(state, row.campaign.id, means, now=now)]
    return _ask(state, row, phase, judgement, now=now) if judgement.gate is Gate.ASK else []


def _judge(
    opened: Transaction,
    row: CampaignRow,
    phase: Phase,
    run_id: str,
    *,
    since: datetime,
    now: datetime,
) -> Judgement:
    [counted] = opened.all(_SQL["returns"], run_id=run_id)
    last = counted.pop("last_at")
    hours = (now - (datetime.fromisoformat(last) if last else since)).total_seconds() / 3600
    return judge_phase(
        Returns(**counted),
        row.campaign.stop,
        phase,
        is_sending=is_going(opened, run_id),
        hours=hours,
    )


def _current(row: CampaignRow) -> PhaseRow | None:
    """The first phase that has neither passed nor been waived or stopped."""
    return next((one for one in row.phases if one.state in {"waiting", "sending"}), None)


def _enrol(state: State, row: CampaignRow, phase: PhaseRow, means: Means, *, now: datetime) -> Move:
    campaign_id = row.campaign.id
    try:
        members = enrol_phase(
            state,
            campaign_id,
            phase.position,
            subject=means.subject_of(row),
            settings=means.settings,
            gate=means.gate,
            keep=means.keep,
            now=now,
        )
    except NotAllowed as refusal:
        with state.transaction() as opened:
            pause_within(opened, campaign_id, reason=str(refusal), actor=ACTOR, now=now)
            add_task(opened, TASK, f"campaign/{campaign_id}", str(refusal), now=now)
        return Move(campaign_id, phase.name, "refused", str(refusal))
    return Move(campaign_id, phase.name, "enrolled", f"{members} customers")


def _auto_stop(
    state: State, row: CampaignRow, phase: str, judgement: Judgement, *, now: datetime
) -> Move:
    campaign_id = row.campaign.id
    why = f"stopped by itself: {judgement.says}"
    with state.transaction() as opened:
        pause_within(opened, campaign_id, reason=why, actor=ACTOR, now=now)
        cancelled = drop(opened, row, "auto_stop", now=now)
        add_task(
            opened,
            TASK,
            f"campaign/{campaign_id}",
            f"campaign {campaign_id} stopped by itself in phase {phase}: {judgement.says}; "
            f"{cancelled} contacts were cancelled: mend the cause, then resume or end it",
            now=now,
        )
        record(
            opened,
            actor=ACTOR,
            action="campaign.auto_stop",
            subject=f"campaign/{campaign_id}",
            detail={
                "phase": phase,
                "cancelled": cancelled,
                "measured": [asdict(one) for one in judgement.measured if one.is_proved],
            },
            at=now,
        )
    return Move(campaign_id, phase, "stopped", judgement.says)


def _pass(state: State, row: CampaignRow, phase: PhaseRow, *, now: datetime) -> Move:
    with state.transaction() as opened:
        mark_phase(opened, row.campaign.id, phase.position, state="passed", note="", now=now)
        end_tasks(opened, TASK, f"campaign/{row.campaign.id}", actor=ACTOR, now=now)
    return Move(row.campaign.id, phase.name, "passed")


def _ask(
    state: State, row: CampaignRow, phase: PhaseRow, judgement: Judgement, *, now: datetime
) -> list[Move]:
    if phase.note == judgement.reason:
        return []
    campaign_id = row.campaign.id
    says = judgement.says or _WHY[judgement.reason]
    says = f"{says}; to go on: regulars reach campaign go-on {campaign_id}"
    with state.transaction() as opened:
        note_phase(opened, campaign_id, phase.position, judgement.reason)
        add_task(
            opened,
            TASK,
            f"campaign/{campaign_id}",
            f"phase {phase.name} of campaign {campaign_id} is done and waits for a word: {says}",
            now=now,
        )
    return [Move(campaign_id, phase.name, "asked", says)]


_WHY: Mapping[str, str] = {
    "perhaps_above": "a rate lies above its limit, perhaps by chance",
    "too_few": "too little was sent to tell",
    "by_person": "the phase asks for a person",
}


def _finish(state: State, row: CampaignRow, *, now: datetime) -> list[Move]:
    campaign_id = row.campaign.id
    with state.transaction() as opened:
        if any(is_going(opened, run_of(campaign_id, one.name)) for one in row.phases):
            return []
        for phase in row.phases:
            if phase.state == "sending":
                mark_phase(opened, campaign_id, phase.position, state="passed", note="", now=now)
        move(opened, campaign_id, CampaignState.FINISHED, actor=ACTOR, now=now)
        end_tasks(opened, TASK, f"campaign/{campaign_id}", actor=ACTOR, now=now)
    return [Move(campaign_id, "", "finished")]


def _close_window(state: State, row: CampaignRow, *, now: datetime) -> list[Move]:
    with state.transaction() as opened:
        late = drop(opened, row, "window_closed", now=now)
    done = [Move(row.campaign.id, "", "stopped", f"window closed, {late} skipped")] if late else []
    done += _skip_rest(state, row.campaign.id, "window_closed", now=now)
    with state.reading() as opened:
        row = campaign_within(opened, row.campaign.id)
    return [*done, *_finish(state, row, now=now)]


def _skip_rest(state: State, campaign_id: str, reason: str, *, now: datetime) -> list[Move]:
    with state.reading() as opened:
        phases = campaign_within(opened, campaign_id).phases
    done = []
    for phase in phases:
        if phase.state == "waiting":
            skipped = skip_phase(state, campaign_id, phase.position, reason=reason, now=now)
            done.append(Move(campaign_id, phase.name, "stopped", f"{reason}: {skipped} customers"))
    return done


def _end_stopped(state: State, campaign_id: str, *, now: datetime) -> list[Move]:
    """Give everybody of a campaign that was ended by hand their fate."""
    with state.reading() as opened:
        row = campaign_within(opened, campaign_id)
    if row.campaign.audience.kind is AudienceKind.TRIGGER:
        late = drop_triggered(state, row, "campaign_stopped", now=now)
        return [Move(campaign_id, "", "stopped", f"ended by hand, {late} skipped")] if late else []
    if _current(row) is None:
        return []
    done = _skip_rest(state, campaign_id, "campaign_stopped", now=now)
    with state.transaction() as opened:
        drop(opened, row, "campaign_stopped", now=now)
        for phase in row.phases:
            if phase.state == "sending" and not is_going(opened, run_of(campaign_id, phase.name)):
                mark_phase(
                    opened,
                    campaign_id,
                    phase.position,
                    state="stopped",
                    note="campaign_stopped",
                    now=now,
                )
    return done


def _end_triggers(state: State, row: CampaignRow, *, now: datetime) -> list[Move]:
    if not row.campaign.not_after or now <= row.campaign.not_after:
        return []
    with state.transaction() as opened:
        drop(opened, row, "window_closed", now=now)
        if is_going(opened, trigger_run(row.campaign.id)):
            return []
        move(opened, row.campaign.id, CampaignState.FINISHED, actor=ACTOR, now=now)
    return [Move(row.campaign.id, "", "finished")]
