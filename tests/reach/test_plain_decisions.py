"""Who switched profiling off is contacted only by decisions made without what is known of her."""

import ibis
import pyarrow as pa
import pytest

from regulars.decide.policies.tables import mark_plain
from regulars.reach.delivery.tables import decisions_of

COLUMNS = (
    "customer_id",
    "verdict",
    "reason",
    "campaign_id",
    "offer_id",
    "channel",
    "is_global_holdout",
    "is_campaign_holdout",
)


def refuses_profiling(shop, customer):
    shop.run(
        """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
           VALUES (:customer, 'profiling', '*', 'withdrawn', '2026-02-01')""",
        {"customer": customer},
    )


@pytest.mark.parametrize(
    ("is_automated", "fate"),
    [(False, ("sent", "handed_over")), (True, ("skipped", "profiling_refused"))],
)
def test_a_contact_goes_out_only_when_it_was_decided_without_her_features(shop, is_automated, fate):
    shop.granted(["ann"])
    refuses_profiling(shop, "ann")

    fates = shop.sends([shop.decision("ann", is_automated=is_automated)], shop.provider())

    assert fates["ann"] == fate


def test_the_decision_log_carries_it_from_decide_to_reach(shop):
    rows = pa.Table.from_pylist([
        {name: shop.decision(who)[name] for name in COLUMNS}
        | {"turn": 1, "model_version": "uplift-001"}
        for who in ("ann", "bob")
    ])

    marked = mark_plain(rows, {"ann"})
    found = decisions_of(ibis.memtable(marked), 1).to_pyarrow().to_pylist()

    assert marked["model_version"].to_pylist() == ["uplift-001/plain", "uplift-001"]
    assert [(row["customer_id"], row["is_automated"]) for row in found] == [
        ("ann", False),
        ("bob", True),
    ]
