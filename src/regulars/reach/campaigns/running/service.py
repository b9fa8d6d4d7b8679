"""Take the audience of a campaign, enrol it phase by phase, pause it, end it, count it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from regulars.errors import InputError, NotAllowed
from regulars.govern.approvals.service import Subject
from regulars.govern.audit.service import record
from regulars.govern.policy.asks import Ask
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.campaigns.audiences.service import Found
from regulars.reach.campaigns.definition import AudienceKind, Campaign, MessageClass
from regulars.reach.campaigns.lifecycle import CampaignState
from regulars.reach.campaigns.reviewing.service import approved_by
from regulars.reach.campaigns.running.members import members_of, run_for
from regulars.reach.campaigns.running.pacing import shifted
from regulars.reach.campaigns.service import CampaignRow, campaign_within, move
from regulars.reach.campaigns.splitting import CONTACT, split
from regulars.reach.delivery.runs import Member
from regulars.reach.delivery.service import call_off, enrol
from regulars.settings import Settings

if TYPE_CHECKING:
    from regulars.reach.standing.gate import Gate

_SQL = Queries(__package__)


@dataclass(frozen=True)
class PhaseCount:
    """How the customers of one phase stand.

    Attributes:
        position: 0 for the first phase.
        name: What it is called.
        state: waiting, sending, passed or stopped.
        eligible: Customers in it, counted before any decision.
        fates: Customers by fate; planned and claimed are still on their way; waiting before
            the phase is enrolled.
        reasons: Customers by "fate/reason".
        spent: Contact cost so far.
    """

    position: int
    name: str
    state: str
    eligible: int
    fates: Mapping[str, int]
    reasons: Mapping[str, int]
    spent: Decimal

    @property
    def is_balanced(self) -> bool:
        """True when everybody is accounted for, to the unit."""
        return sum(self.fates.values()) == self.eligible


def run_of(campaign_id: str, phase: str) -> str:
    """Name the run of a phase.

    Returns:
        The run id.

    Example:
        >>> run_of("tea", "pilot")
        'campaign/tea/pilot'
    """
    return f"campaign/{campaign_id}/{phase}"


def runs_of(row: CampaignRow) -> list[str]:
    """Name every run of a campaign: one per phase, or the one its triggers share."""
    if row.campaign.audience.kind is AudienceKind.TRIGGER:
        return [trigger_run(row.campaign.id)]
    return [run_of(row.campaign.id, phase.name) for phase in row.phases]


def trigger_run(campaign_id: str) -> str:
    """Name the run whose members come one by one.

    Returns:
        The run id.

    Example:
        >>> trigger_run("receipt")
        'trigger/receipt'
    """
    return f"trigger/{campaign_id}"


def needs_approval(campaign: Campaign, settings: Settings) -> bool:
    """Tell whether a campaign may only be sent once somebody else has approved it."""
    if campaign.message_class is MessageClass.TRANSACTIONAL:
        return settings.policy.transactional_approval_required
    return settings.policy.approval_required


def start(
    state: State,
    campaign_id: str,
    *,
    found: Found,
    subject: Subject,
    settings: Settings,
    actor: str,
    now: datetime,
) -> CampaignRow:
    """Take the audience of a campaign, before anything is decided, and set it running.

    Who is held out and who belongs to which phase is settled here once for all. Nothing is
    enrolled yet.

    Args:
        state: The transactional store.
        campaign_id: The campaign.
        found: Its audience.
        subject: The campaign with all it rests on, as it stands now.
        settings: Settings of the workspace.
        actor: Who starts it.
        now: The moment, aware.

    Returns:
        The campaign, running.

    Raises:
        NotAllowed: It is not approved as it stands, or cannot be started from its state.
        InputError: Its audience is empty.
    """
    with state.transaction() as opened:
        row = campaign_within(opened, campaign_id)
        campaign = row.campaign
        is_triggered = campaign.audience.kind is AudienceKind.TRIGGER
        if row.started_at:
            raise NotAllowed(
                "campaign-state", f"campaign {campaign_id} was started before and is {row.state}"
            )
        checked_approval(opened, row, subject, settings)
        if not found.customers and not is_triggered:
            raise InputError(
                f"the audience of campaign {campaign_id} is empty; check its list, tag, segment "
                "or rule"
            )
        move(opened, campaign_id, CampaignState.RUNNING, actor=actor, now=now)
        opened.run(
            _SQL["begin"],
            campaign_id=campaign_id,
            audience=len(found.customers),
            version=row.version,
            at=_stamp(now),
        )
        if not is_triggered:
            _take(opened, campaign, found, settings)
        return campaign_within(opened, campaign_id)


def checked_approval(
    opened: Transaction, row: CampaignRow, subject: Subject, settings: Settings
) -> None:
    """Refuse a campaign nobody approved as it stands now.

    Raises:
        NotAllowed: An approval is required and there is none for this very content.
    """
    if not needs_approval(row.campaign, settings) or approved_by(opened, subject):
        return
    name = row.campaign.id
    if row.state is CampaignState.APPROVED or row.started_at:
        raise NotAllowed(
            "approval",
            f"campaign {name} is not what was approved: its content, findings or tag have changed "
            f"since; ask for approval again: regulars reach campaign submit {name}",
        )
    raise NotAllowed(
        "approval",
        f"campaign {name} is {row.state}, nobody has approved it; ask for approval: "
        f"regulars reach campaign submit {name}",
    )


def enrol_phase(
    state: State,
    campaign_id: str,
    position: int,
    *,
    subject: Subject,
    settings: Settings,
    gate: "Gate",
    keep: Callable[[CampaignRow, str, Sequence[Mapping[str, Any]]], None],
    now: datetime,
) -> int:
    """Put one phase into the send ledger; a second time changes nothing.

    Args:
        state: The transactional store.
        campaign_id: The campaign; it must be running.
        position: Which phase.
        subject: The campaign with all it rests on, as it stands now.
        settings: Settings of the workspace.
        gate: The rules of contact, to choose among several channels.
        keep: Told the campaign, the phase and its members (customer_id, assignment) once they
            are in the ledger; called again when a crash came before the phase was marked.
        now: The moment, aware.

    Returns:
        Customers of the phase. Holdouts are in the ledger with their fate.

    Raises:
        NotAllowed: The campaign is not running, or no longer what was approved.
    """
    with state.reading() as opened:
        row = campaign_within(opened, campaign_id)
        if row.state is not CampaignState.RUNNING:
            raise NotAllowed(
                "campaign-state", f"campaign {campaign_id} is {row.state}, not running"
            )
        checked_approval(opened, row, subject, settings)
    phase = row.phases[position]
    # Chosen once and kept: a crash must not let anybody be enrolled on two channels.
    with state.transaction() as opened:
        rows = _with_channels(opened, row, position, gate, now)
    costs = {name: part.cost for name, part in settings.channels.items()}
    for step, channel, part in _parts(row.campaign, rows):
        run = run_for(row.campaign, run_of(campaign_id, phase.name), channel, step=step)
        enrol(state, run, members_of(row.campaign, part, costs, now=now), now=now)
    keep(row, phase.name, rows)
    with state.transaction() as opened:
        row = campaign_within(opened, campaign_id)
        # Somebody may have paused or ended it while a long audience was written down.
        if row.state is CampaignState.PAUSED:
            hold(opened, row, now=now)
        elif row.state is CampaignState.STOPPED:
            drop(opened, row, "campaign_stopped", now=now)
        if opened.run(_SQL["enrolled"], campaign_id=campaign_id, position=position, at=_stamp(now)):
            record(
                opened,
                actor="campaigns",
                action="campaign.phase",
                subject=f"campaign/{campaign_id}",
                detail={"phase": phase.name, "customers": len(rows), "hash": subject.content_hash},
                at=now,
            )
    return len(rows)


def skip_phase(state: State, campaign_id: str, position: int, *, reason: str, now: datetime) -> int:
    """Give a phase that will not be reached its fates: skipped, with a reason.

    Args:
        state: The transactional store.
        campaign_id: The campaign.
        position: A phase that was not enrolled.
        reason: Reason code.
        now: The moment, aware.

    Returns:
        Customers of the phase; holdouts stay holdouts.
    """
    with state.reading() as opened:
        row = campaign_within(opened, campaign_id)
        rows = opened.all(_SQL["members"], campaign_id=campaign_id, phase=position)
    run_id = run_of(campaign_id, row.phases[position].name)
    # Cut as it is to be sent: a crash may have left a part of it in the ledger.
    for step, channel, part in _parts(row.campaign, rows):
        members = [
            Member(one["customer_id"], "skip", reason)
            if one["assignment"] == CONTACT
            else Member(one["customer_id"], "holdout", one["assignment"])
            for one in part
        ]
        enrol(state, run_for(row.campaign, run_id, channel, step=step), members, now=now)
    with state.transaction() as opened:
        opened.run(_SQL["enrolled"], campaign_id=campaign_id, position=position, at=_stamp(now))
        mark_phase(opened, campaign_id, position, state="stopped", note=reason, now=now)
    return len(rows)


def pause(state: State, campaign_id: str, *, reason: str, actor: str, now: datetime) -> CampaignRow:
    """Hold everything of a campaign that has not gone out yet.

    Contacts in the air, at most one window per sender, still arrive.

    Returns:
        The campaign, paused.

    Raises:
        InputError: No reason was given.
        NotAllowed: It is not running.
    """
    with state.transaction() as opened:
        return pause_within(opened, campaign_id, reason=reason, actor=actor, now=now)


def pause_within(
    opened: Transaction, campaign_id: str, *, reason: str, actor: str, now: datetime
) -> CampaignRow:
    """Hold everything of a campaign, within the caller's transaction.

    Returns:
        The campaign, paused.

    Raises:
        InputError: No reason was given.
        NotAllowed: It is not running.
    """
    if not reason.strip():
        raise InputError("reason is empty, must say why the campaign pauses; give a few words")
    move(opened, campaign_id, CampaignState.PAUSED, actor=actor, now=now, reason=reason.strip())
    row = campaign_within(opened, campaign_id)
    hold(opened, row, now=now)
    return row


def resume(state: State, campaign_id: str, *, actor: str, now: datetime) -> CampaignRow:
    """Let a paused campaign go on where it stood, at the pace it had.

    Returns:
        The campaign, running.

    Raises:
        NotAllowed: It is not paused.
    """
    with state.transaction() as opened:
        paused = opened.all(_SQL["paused_at"], campaign_id=campaign_id)
        move(opened, campaign_id, CampaignState.RUNNING, actor=actor, now=now)
        row = campaign_within(opened, campaign_id)
        waited = now - datetime.fromisoformat(paused[0]["changed_at"])
        for run_id in runs_of(row):
            held = opened.all(_SQL["held"], run_id=run_id)
            opened.many(
                _SQL["release"],
                [
                    {
                        "key": one["key"],
                        "next_at": _stamp(shifted(one["hold_until"], by=waited, now=now)),
                    }
                    for one in held
                ],
            )
        return row


def stop_campaign(state: State, campaign_id: str, *, reason: str, actor: str, now: datetime) -> int:
    """End a campaign for good; whoever has not been contacted will not be.

    Args:
        state: The transactional store.
        campaign_id: The campaign.
        reason: Why, in words.
        actor: Who ends it.
        now: The moment, aware.

    Returns:
        Contacts that will not go out; each is skipped with reason `campaign_stopped`.

    Raises:
        InputError: No reason was given.
        NotAllowed: It has ended already.
    """
    if not reason.strip():
        raise InputError("reason is empty, must say why the campaign ends; give a few words")
    with state.transaction() as opened:
        row = campaign_within(opened, campaign_id)
        move(
            opened, campaign_id, CampaignState.STOPPED, actor=actor, now=now, reason=reason.strip()
        )
        return drop(opened, row, "campaign_stopped", now=now)


def hold(opened: Transaction, row: CampaignRow, *, now: datetime) -> int:
    """Hold every contact of a campaign that waits; gives how many."""
    return sum(opened.run(_SQL["hold"], run_id=one, at=_stamp(now)) for one in runs_of(row))


def drop(opened: Transaction, row: CampaignRow, reason: str, *, now: datetime) -> int:
    """Skip every contact of a campaign that waits, with a reason code; gives how many."""
    return sum(
        opened.run(_SQL["expire"], run_id=one, reason=reason, at=_stamp(now))
        for one in runs_of(row)
    )


def drop_triggered(state: State, row: CampaignRow, reason: str, *, now: datetime) -> int:
    """Skip what came back to a triggered campaign after its end; nothing once all have a fate.

    Args:
        state: The transactional store.
        row: A campaign that has ended.
        reason: Reason code.
        now: The moment, aware.

    Returns:
        Contacts skipped.
    """
    run_id = trigger_run(row.campaign.id)
    with state.reading() as opened:
        if not opened.all(_SQL["not_called_off"], run_id=run_id):
            return 0
    with state.transaction() as opened:
        dropped = drop(opened, row, reason, now=now)
        if not is_going(opened, run_id):
            call_off(opened, run_id, reason)
        return dropped


def is_going(opened: Transaction, run_id: str) -> bool:
    """Tell whether a run holds contacts that may still go out or are in the air."""
    return bool(opened.all(_SQL["going"], run_id=run_id)[0]["contacts"])


def mark_phase(
    opened: Transaction, campaign_id: str, position: int, *, state: str, note: str, now: datetime
) -> None:
    """Write down how a phase was judged."""
    opened.run(
        _SQL["judged"],
        campaign_id=campaign_id,
        position=position,
        state=state,
        note=note,
        at=_stamp(now),
    )


def note_phase(opened: Transaction, campaign_id: str, position: int, note: str) -> None:
    """Write down what a phase waits for."""
    opened.run(_SQL["note"], campaign_id=campaign_id, position=position, note=note)


def count(state: State, campaign_id: str) -> list[PhaseCount]:
    """Count how everybody of a campaign stands, phase by phase.

    Returns:
        One record per phase, in order; one for all whose customers come by triggers; empty
        before it was started.

    Raises:
        UnknownName: There is no such campaign.
    """
    with state.reading() as opened:
        row = campaign_within(opened, campaign_id)
        found = []
        if row.campaign.audience.kind is AudienceKind.TRIGGER and row.started_at:
            run = trigger_run(campaign_id)
            [counted] = opened.all(_SQL["triggered"], run_id=run)
            rows = opened.all(_SQL["counts"], run_id=run)
            found.append(_counted(0, "", row.state.value, int(counted["customers"]), rows))
        for phase in row.phases:
            rows = opened.all(_SQL["counts"], run_id=run_of(campaign_id, phase.name))
            found.append(_counted(phase.position, phase.name, phase.state, phase.members, rows))
    return found


def not_yet_enrolled(state: State, customer_id: str) -> list[dict[str, Any]]:
    """Give the running campaigns in which a customer waits for a later phase.

    Returns:
        campaign_id, phase, assignment, name and state of the phase.
    """
    with state.reading() as opened:
        return opened.all(_SQL["membership"], customer_id=customer_id)


def _counted(
    position: int, name: str, state: str, members: int, rows: Sequence[Mapping[str, Any]]
) -> PhaseCount:
    fates: dict[str, int] = {}
    for one in rows:
        fates[one["state"]] = fates.get(one["state"], 0) + one["customers"]
    return PhaseCount(
        position,
        name,
        state,
        members,
        fates or ({"waiting": members} if members else {}),
        {f"{one['state']}/{one['reason']}": one["customers"] for one in rows},
        Decimal(sum(int(one["cost_cents"] or 0) for one in rows)) / 100,
    )


def _take(opened: Transaction, campaign: Campaign, found: Found, settings: Settings) -> None:
    dealt = split(
        found.customers,
        found.regions,
        campaign,
        seed=settings.loop.seed,
        global_holdout=settings.loop.global_holdout,
    )
    phases, assignments = dealt.phases.tolist(), dealt.assignments.tolist()
    only = campaign.channels[0] if len(campaign.channels) == 1 else ""
    opened.many(
        _SQL["add_member"],
        [
            {
                "campaign_id": campaign.id,
                "customer_id": customer,
                "phase": phase,
                "assignment": assignment,
                "channel": only if assignment == CONTACT else "",
            }
            for customer, phase, assignment in zip(
                found.customers, phases, assignments, strict=True
            )
        ],
    )
    opened.many(
        _SQL["add_phase"],
        [
            {
                "campaign_id": campaign.id,
                "position": position,
                "name": phase.name,
                "members": phases.count(position),
            }
            for position, phase in enumerate(campaign.phases)
        ],
    )


def _with_channels(
    opened: Transaction, row: CampaignRow, position: int, gate: "Gate", now: datetime
) -> list[dict[str, Any]]:
    """Give the members of a phase, each with the first channel no standing rule forbids."""
    campaign = row.campaign
    rows = opened.all(_SQL["members"], campaign_id=campaign.id, phase=position)
    unchosen = [
        one["customer_id"] for one in rows if one["assignment"] == CONTACT and not one["channel"]
    ]
    chosen = dict.fromkeys(unchosen, campaign.channels[0])
    left = unchosen
    for channel in campaign.channels:
        asks = [
            Ask(
                key=customer,
                customer_id=customer,
                channel=channel,
                message_class=campaign.message_class.value,
                topic=campaign.topic,
                campaign_id=campaign.id,
            )
            for customer in left
        ]
        verdicts = gate.judge_again(opened, asks, now=now) if asks else []
        judged = zip(asks, verdicts, strict=True)
        open_to = {ask.customer_id for ask, one in judged if not one.reason}
        chosen |= dict.fromkeys(open_to, channel)
        left = [customer for customer in left if customer not in open_to]
    opened.many(
        _SQL["choose"],
        [
            {"campaign_id": campaign.id, "customer_id": customer, "channel": channel}
            for customer, channel in chosen.items()
        ],
    )
    return [one | {"channel": chosen.get(one["customer_id"], one["channel"])} for one in rows]


def _parts(
    campaign: Campaign, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
    """Cut a phase by content: one part, or one per channel where each says something else."""
    if campaign.says_one_thing:
        return [("", campaign.channels[0], list(rows))]
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for one in rows:
        parts.setdefault(one["channel"], []).append(one)
    return [(channel, channel, parts[channel]) for channel in sorted(parts)]


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
