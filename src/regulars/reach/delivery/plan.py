"""The plan: decisions become ledger rows, in an order that is the same on every run."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.govern.policy import Fate, Reason
from regulars.reach.delivery.keys import contact_key
from regulars.reach.delivery.runs import PLANNED, STATE_BY_VERDICT, cents_of, fate_of_refusal


def planned_rows(
    decisions: Sequence[Mapping[str, Any]],
    *,
    turn: int,
    channel_costs: Mapping[str, Decimal],
) -> list[dict[str, Any]]:
    """Turn the decisions of one turn into rows of the send ledger.

    A decision to send becomes a planned row, unless a holdout flag contradicts it: a holdout
    is never contacted. Every other decision has its fate at once; where a rule of contact was
    the reason, the fate that goes with the rule. Rows come in the order of their keys: so they
    are claimed, whoever works on them.

    Args:
        decisions: One per customer: customer_id, verdict, reason, campaign_id, offer_id,
            channel, is_global_holdout, is_campaign_holdout; is_automated, False for one decided
            without the customer's features, True when left out.
        turn: Number of the turn.
        channel_costs: Cost of one contact, by channel.

    Returns:
        One row per decision, in the order of keys.

    Raises:
        InputError: A customer was decided on twice, a verdict is unknown, a decision to send
            lacks its offer, campaign or channel or names a channel without a cost, or a cost
            is no whole number of cents.

    Source:
        Ours, because an order that depends on nobody gives the same result at any number of
        senders.

    Example:
        >>> never = {"customer_id": "a", "verdict": "abstain", "reason": "negative_value",
        ...          "campaign_id": None, "offer_id": None, "channel": None,
        ...          "is_global_holdout": False, "is_campaign_holdout": False}
        >>> [row["state"] for row in planned_rows([never], turn=1, channel_costs={})]
        ['abstained']
    """
    cents = {channel: cents_of(channel, cost) for channel, cost in channel_costs.items()}
    rows = [_row(decision, turn, cents) for decision in decisions]
    rows.sort(key=lambda row: row["customer_id"])
    for before, after in zip(rows, rows[1:], strict=False):
        if before["customer_id"] == after["customer_id"]:
            raise InputError(
                f"customer {after['customer_id']} has two decisions in turn {turn}, must have "
                "one; write each customer of the audience once"
            )
    # Rows claimed together next to each other: claiming touches few pages of the database.
    return sorted(rows, key=lambda row: str(row["key"]))


def _row(decision: Mapping[str, Any], turn: int, cents: Mapping[str, int]) -> dict[str, Any]:
    state, reason = _first_state(decision)
    chosen = {name: decision[name] for name in ("campaign_id", "offer_id", "channel")}
    if state == PLANNED:
        missing = [name for name, value in chosen.items() if not value]
        if missing:
            raise InputError(
                f"customer {decision['customer_id']} is to be sent to without {missing[0]}; "
                "a decision to send names its campaign, offer and channel"
            )
        if chosen["channel"] not in cents:
            raise UnknownName("channel", chosen["channel"], cents)
    key = contact_key(
        turn=turn,
        customer_id=decision["customer_id"],
        **{name: value or "" for name, value in chosen.items()},
    )
    return {
        "key": key,
        "turn": turn,
        "customer_id": decision["customer_id"],
        **chosen,
        "cost_cents": cents[chosen["channel"]] if state == PLANNED else 0,
        "state": state,
        "reason": reason,
        "is_automated": bool(decision.get("is_automated", True)),
    }


def _first_state(decision: Mapping[str, Any]) -> tuple[str, str]:
    verdict = decision["verdict"]
    if verdict not in STATE_BY_VERDICT:
        raise InputError(
            f"verdict of customer {decision['customer_id']} is {verdict!r}, must be one of "
            f"{', '.join(STATE_BY_VERDICT)}"
        )
    if verdict == "send" and decision["is_global_holdout"]:
        return Fate.HOLDOUT.value, Reason.GLOBAL_HOLDOUT.value
    if verdict == "send" and decision["is_campaign_holdout"]:
        return Fate.HOLDOUT.value, Reason.CAMPAIGN_HOLDOUT.value
    if verdict == "skip":
        return fate_of_refusal(decision["reason"]), decision["reason"]
    return STATE_BY_VERDICT[verdict], decision["reason"]
