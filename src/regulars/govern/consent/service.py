"""Consent changed or asked for directly, outside a turn."""

from datetime import UTC, datetime

from regulars.errors import InputError
from regulars.govern.consent.rule import EVERY_CHANNEL, MARKETING, PROFILING, Status, newest_status
from regulars.ports.state import Queries, State

_SQL = Queries(__package__)


def withdraw(
    state: State,
    customer_id: str,
    *,
    at: datetime,
    channel: str = EVERY_CHANNEL,
    purpose: str = MARKETING,
    evidence: str | None = None,
) -> None:
    """Record that a customer withdrew; from the commit on nothing more is claimed for him.

    Args:
        state: The transactional store.
        customer_id: Who.
        at: When the customer said so, aware.
        channel: Channel withdrawn from; "*" for all.
        purpose: marketing, profiling or service.
        evidence: How it can be proved.

    Raises:
        InputError: The moment names no zone.
    """
    if at.tzinfo is None:
        raise InputError(f"at is {at}, must name its zone; give an aware datetime such as UTC")
    with state.transaction() as opened:
        opened.run(
            _SQL["adopt_consent"],
            customer_id=customer_id,
            purpose=purpose,
            channel=channel,
            status=Status.WITHDRAWN.value,
            recorded_at=at.astimezone(UTC).isoformat(timespec="microseconds"),
            notice_version=None,
            evidence=evidence,
        )


def profiling_refused(state: State) -> frozenset[str]:
    """Name the customers whose features no decision may use.

    Returns:
        Customers whose newest word on profiling is a refusal; empty when nobody refused.
    """
    with state.reading() as opened:
        words = opened.all(_SQL["words"], purpose=PROFILING)
    by_customer: dict[str, list[dict[str, str]]] = {}
    for word in words:
        by_customer.setdefault(word["customer_id"], []).append({**word, "channel": EVERY_CHANNEL})
    refused = {Status.DENIED, Status.WITHDRAWN}
    return frozenset(
        customer
        for customer, own in by_customer.items()
        if newest_status(own, channel=EVERY_CHANNEL) in refused
    )
