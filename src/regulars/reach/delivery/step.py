"""The step that carries the decisions of a turn to the channels and accounts for everybody."""

from collections.abc import Mapping
from decimal import Decimal

import pyarrow as pa

from regulars.decide.offers.keeping.service import catalogue_rows, offers_in_force
from regulars.ports.channels import Channel
from regulars.ports.engine import Engine
from regulars.ports.state import State
from regulars.ports.steps import step
from regulars.reach.delivery.ledger.pace import Pace
from regulars.reach.delivery.plan import planned_rows
from regulars.reach.delivery.service import account, contacts_of, dispatch, plan, set_stock
from regulars.reach.delivery.tables import decisions_of
from regulars.reach.standing.gate import Gate
from regulars.records import Turn


@step(reads="decisions offers", writes="contacts")
def deliver(
    engine: Engine,
    turn: Turn,
    *,
    state: State,
    channels: Mapping[str, Channel],
    gate: Gate,
    channel_costs: Mapping[str, Decimal],
    pace: Pace,
) -> int:
    """Contact whom the turn decided to contact, and keep one row per customer of the audience.

    A turn that was killed is taken up where it stopped: nobody is contacted twice, nobody is
    lost.

    Args:
        engine: Engine bound to this step and turn.
        turn: The turn; its `now` is the moment of every contact.
        state: The transactional store with the send ledger.
        channels: Adapter of every channel.
        gate: The rules of contact.
        channel_costs: Cost of one contact, by channel.
        pace: Windows and senders.

    Returns:
        Rows written: customers in the audience.
    """
    imported = engine.rows(engine.table("offers").order_by("offer_id"))
    offers = catalogue_rows(imported, offers_in_force(state, at=turn.now))
    set_stock(state, {offer["offer_id"]: offer["stock"] for offer in offers})
    decisions = engine.rows(decisions_of(engine.table("decisions"), turn.number))
    plan(state, turn, planned_rows(decisions, turn=turn.number, channel_costs=channel_costs))
    dispatch(state, turn, channels=channels, gate=gate, pace=pace)
    for name in sorted(channels):
        channels[name].close_turn(turn.number)
    account(state, turn.number)
    return engine.write("contacts", pa.Table.from_pylist(contacts_of(state, turn.number)))
