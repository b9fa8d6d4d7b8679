"""Who is marked, since when and why, and which customers that means."""

from collections.abc import Iterable, Mapping
from datetime import date
from math import isnan
from typing import Any

import pyarrow as pa

from regulars.collect.anomalies.isolation import isolation_scores, stands_out
from regulars.collect.anomalies.rules import FARM, OUTLIER, Limits, broken_limits, is_farm
from regulars.records.identifiers import customer_id_of, primary_identifier

Actor = tuple[str, str]

MARKED_SHARE = 0.5
"""Share of a customer's events from marked devices above which the customer is marked too."""


def scored_actors(
    features: pa.Table, members: pa.Table, *, limits: Limits, seed: int
) -> list[dict[str, Any]]:
    """Score every actor and say why one is marked.

    Args:
        features: Rows of `tables.actor_features`.
        members: Rows of `tables.farm_members`.
        limits: What no customer does.
        seed: Root of the forest's draws.

    Returns:
        Rows of `actor_scores`, by kind and actor; reasons is empty (None) for those not marked.
    """
    scores = isolation_scores(features, seed=seed)
    flags = broken_limits(features, limits)
    flags[OUTLIER] = stands_out(features, scores, limits.outlier)
    reasons: dict[Actor, set[str]] = {}
    counts: dict[Actor, dict[str, Any]] = {}
    for place, row in enumerate(features.to_pylist()):
        actor = (row["kind"], row["actor"])
        reasons[actor] = {reason for reason, flag in flags.items() if flag[place]}
        score = float(scores[place])
        counts[actor] = {"events": row["events"], "score": None if isnan(score) else score}
    for row, is_one in zip(members.to_pylist(), is_farm(members, limits), strict=True):
        if is_one:
            for actor in (("device", row["device"]), (row["kind"], row["host"])):
                reasons.setdefault(actor, set()).add(FARM)
    return [
        {"kind": actor[0], "actor": actor[1], "reasons": " ".join(sorted(found)) or None}
        | counts.get(actor, {"events": None, "score": None})
        for actor, found in sorted(reasons.items())
    ]


def marked_actors(
    scored: Iterable[Mapping[str, Any]], before: Iterable[Mapping[str, Any]], *, today: date
) -> list[dict[str, Any]]:
    """Add those marked now to those marked before; a mark keeps the day it was first set.

    Args:
        scored: Rows of `actor_scores`.
        before: Actors whose earlier marks still hold: kind, actor, reasons, marked_on.
        today: Last day looked at.

    Returns:
        Rows of `marked_actors`, by kind and actor.
    """
    found: dict[Actor, dict[str, Any]] = {
        (row["kind"], row["actor"]): dict(row) | {"marked_on": row["marked_on"]} for row in before
    }
    for row in scored:
        if row["reasons"] is None:
            continue
        actor = (row["kind"], row["actor"])
        held = found.setdefault(actor, {"reasons": "", "marked_on": today})
        reasons = set(held["reasons"].split()) | set(row["reasons"].split())
        held["reasons"] = " ".join(sorted(reasons))
    return [
        {"kind": kind, "actor": actor, "reasons": row["reasons"], "marked_on": row["marked_on"]}
        for (kind, actor), row in sorted(found.items())
    ]


def marked_customers(
    actors: Iterable[Mapping[str, Any]],
    pairs: Iterable[Mapping[str, Any]],
    *,
    aliases: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Say which customers are no customers.

    A customer is marked for what they did under their own id, or when most of their events came
    from marked devices: one bad device among good ones marks nobody.

    Args:
        actors: Rows of `marked_actors`.
        pairs: Rows of `tables.customers_and_devices`.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        Rows of `marked_customers`, by customer_id: customer_id, reasons, marked_on.
    """
    known = aliases or {}
    marked = {(row["kind"], row["actor"]): row for row in actors}
    causes: dict[str, list[Mapping[str, Any]]] = {}
    sent: dict[str, list[int]] = {}
    unseen = {actor for kind, actor in marked if kind == "device"}
    for pair in pairs:
        customer = _customer(pair["customer"], pair["device"], known)
        unseen.discard(pair["device"])
        if customer is None:
            continue
        counts = sent.setdefault(customer, [0, 0])
        counts[0] += pair["events"]
        if (cause := marked.get(("device", pair["device"]))) is not None:
            counts[1] += pair["events"]
            causes.setdefault(customer, []).append(cause)
    found = {
        customer: causes[customer]
        for customer, (events, bad) in sent.items()
        if bad > MARKED_SHARE * events
    }
    alone = [(kind, actor) for kind, actor in marked if kind == "customer" or actor in unseen]
    for kind, actor in alone:
        user_id, device = (None, actor) if kind == "device" else (actor, None)
        customer = _customer(user_id, device, known)
        if customer is not None and (kind == "customer" or customer not in sent):
            found.setdefault(customer, []).append(marked[kind, actor])
    return [
        {
            "customer_id": customer,
            "reasons": " ".join(sorted({r for row in rows for r in row["reasons"].split()})),
            "marked_on": min(row["marked_on"] for row in rows),
        }
        for customer, rows in sorted(found.items())
    ]


def _customer(user_id: str | None, device: str | None, aliases: Mapping[str, str]) -> str | None:
    primary = primary_identifier(user_id, device)
    if primary is None:
        return None
    name = customer_id_of(*primary)
    return aliases.get(name, name)
