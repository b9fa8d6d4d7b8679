"""The members of a phase as the send ledger takes them: to be sent to, or held out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from regulars.reach.campaigns.definition import Campaign
from regulars.reach.campaigns.running.pacing import earliest_moments
from regulars.reach.campaigns.splitting import CONTACT
from regulars.reach.delivery.runs import Member, Run

PLANNED = "planned"


def run_for(
    campaign: Campaign, run_id: str, channel: str, *, step: str = "", grows: bool = False
) -> Run:
    """Give the run of a campaign under one name.

    Args:
        campaign: The campaign.
        run_id: Name of the run.
        channel: Channel its content is for.
        step: Which part of the run it is, or which contact of the same customer; "" for the
            only one.
        grows: True when members come one by one.

    Returns:
        The run.
    """
    return Run(
        run_id=run_id,
        campaign_id=campaign.id,
        step=step,
        message_class=campaign.message_class.value,
        topic=campaign.topic,
        priority=campaign.priority,
        content=campaign.content.get(channel, ""),
        grows=grows,
    )


def members_of(
    campaign: Campaign,
    rows: Sequence[Mapping[str, Any]],
    costs: Mapping[str, Decimal],
    *,
    now: datetime,
) -> list[Member]:
    """Decide for every member of a phase: to be sent to at a moment, or left alone.

    Args:
        campaign: The campaign.
        rows: The members: customer_id, assignment, and channel of those to be sent to.
        costs: Cost of one contact by channel; a cost of the campaign wins.
        now: The moment, aware.

    Returns:
        One member per row, in their order. A holdout is a member with that verdict: it is
        in the ledger and never contacted.
    """
    chosen = [one["customer_id"] for one in rows if one["assignment"] == CONTACT]
    begin = max(campaign.not_before or now, now)
    spread = earliest_moments(
        chosen, begin=begin, per_minute=campaign.send_per_minute, salt=campaign.id
    )
    moments = dict(zip(chosen, spread, strict=True))
    members = []
    for one in rows:
        customer, assignment = one["customer_id"], one["assignment"]
        if assignment != CONTACT:
            members.append(Member(customer, "holdout", assignment))
            continue
        channel, moment = one["channel"], moments[customer]
        price = costs.get(channel, Decimal(0)) if campaign.cost is None else campaign.cost
        members.append(
            Member(
                customer,
                "send",
                PLANNED,
                channel=channel,
                offer_id=campaign.offer,
                cost=price,
                is_automated=campaign.is_chosen_by_program,
                not_before=moment if moment > now else None,
            )
        )
    return members
