"""The step that says who has which tag, turn by turn."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.unify.profiles.service import events_of_customers
from regulars.unify.tags.definitions import Tag, scores
from regulars.unify.tags.tables import meeting, members


@step(
    reads="profiles events customer_values rfm_scores churn_scores tag_members",
    writes="tag_members",
)
def tag_customers(
    engine: Engine,
    turn: Turn,
    *,
    tags: Sequence[Tag],
    marks: pa.Table,
    aliases: Mapping[str, str] | None = None,
) -> int:
    """Write the members of every tag as of the turn's day.

    Args:
        engine: Opens the profiles, scores and events, takes `tag_members`.
        turn: The turn; nothing after its `as_of` is read.
        tags: The tags as they are defined now.
        marks: What was given and removed by hand.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        Rows written.
    """
    if not tags:
        return engine.write("tag_members", pa.table({}))
    names = ("profiles", *scores())
    tables = {name: engine.table(name) for name in names}
    tables = {name: table.filter(table.turn == turn.number) for name, table in tables.items()}
    tables["events"] = events_of_customers(engine, aliases=aliases or {})
    past = engine.table("tag_members")
    earlier = engine.rows(past.filter(past.turn < turn.number).agg(turn=past.turn.max()))
    rows = members(
        tags,
        {tag.name: meeting(tag, tables, as_of=turn.as_of) for tag in tags},
        marks=marks,
        before=past.filter(past.turn == (earlier[0]["turn"] or 0)),
        known=tables["profiles"].select("customer_id"),
        as_of=turn.as_of,
    )
    return engine.write("tag_members", rows)
