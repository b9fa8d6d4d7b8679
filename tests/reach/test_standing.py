"""Whom the turn may contact, judged before deciding; and the ledger, which judges again in SQL."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.govern.policy.service import stop
from regulars.reach.delivery.service import set_stock
from regulars.reach.standing import contactable

CUSTOMERS = [f"c{number}" for number in range(8)]
CHANNELS = ["app", "sms"]
EVERY = [*CHANNELS, "*"]

words = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.sampled_from(EVERY),
        st.sampled_from(["granted", "granted", "denied", "withdrawn"]),
        st.integers(1, 3),
    ),
    max_size=24,
    unique_by=lambda row: row[:2],
)
closed = st.lists(
    st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(EVERY)), max_size=3, unique=True
)
days = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.sampled_from(["2026-01-01", "2026-02-02", "2026-02-03", "2026-03-02"]),
        st.integers(1, 3),
    ),
    max_size=8,
    unique_by=lambda row: row[:2],
)


def standing_of(shop, customers=CUSTOMERS, channels=CHANNELS):
    return contactable(
        shop.state, shop.turn(), customers, channels=channels, policy=shop.policy, zone=shop.zone
    )


def fill(shop, said, refused, contacts):
    shop.run("DELETE FROM consents", {})
    shop.run("DELETE FROM suppressions", {})
    shop.run("DELETE FROM contact_days", {})
    shop.run(
        """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
           VALUES (:who, 'marketing', :channel, :status, :at)""",
        *(
            {"who": c, "channel": channel, "status": status, "at": f"2026-01-0{day}"}
            for c, channel, status, day in said
        ),
    )
    shop.run(
        "INSERT INTO suppressions (customer_id, channel, reason, since) VALUES (:who, :channel, 'bounced', '2026')",
        *({"who": c, "channel": channel} for c, channel in refused),
    )
    shop.run(
        "INSERT INTO contact_days (customer_id, day, contacts) VALUES (:who, :day, :n)",
        *({"who": c, "day": day, "n": n} for c, day, n in contacts),
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    said=words,
    refused=closed,
    contacts=days,
    cap=st.integers(0, 4),
    required=st.booleans(),
    quiet=st.booleans(),
    stopped=st.booleans(),
    chosen=st.lists(st.sampled_from(CHANNELS), min_size=8, max_size=8),
)
def test_the_claim_in_sql_judges_as_the_arrays_do(
    shop, said, refused, contacts, cap, required, quiet, stopped, chosen
):
    fill(shop, said, refused, contacts)
    shop.run("DELETE FROM ledger", {})
    shop.run("DELETE FROM watermarks", {})
    shop.rules(cap_contacts=cap, consent_required=required, quiet_from=10 if quiet else 21)
    if stopped:
        stop(shop.state, "drill", actor="ann", at=shop.turn().now)

    reasons = standing_of(shop).reasons
    fates = shop.sends(
        [shop.decision(c, channel=channel) for c, channel in zip(CUSTOMERS, chosen, strict=True)],
        shop.provider(),
    )

    judged = [reasons[row, CHANNELS.index(channel)] for row, channel in enumerate(chosen)]
    assert [fates[c][1].removeprefix("handed_over") for c in CUSTOMERS] == judged


def test_customers_are_judged_in_the_order_given(shop):
    shop.granted(["ann", "bob"])
    shop.says("bob", "withdrawn", channel="sms", day=3)
    fill_contacts = {"who": "ann", "day": "2026-03-01", "n": 1}
    shop.run(
        "INSERT INTO contact_days (customer_id, day, contacts) VALUES (:who, :day, :n)",
        fill_contacts,
    )
    set_stock(shop.state, {"ten_off": 5, "news": None})

    standing = standing_of(shop, ["eve", "bob", "ann"], ["sms", "app"])

    assert standing.reasons.tolist() == [
        ["no_consent", "no_consent"],
        ["consent_withdrawn", ""],
        ["", ""],
    ]
    assert standing.contacts.tolist() == [0, 0, 1]
    assert standing.remaining == {"ten_off": 5}


def test_an_empty_audience_has_no_standing(shop):
    standing = standing_of(shop, [], ["sms"])

    assert standing.reasons.shape == (0, 1)
    assert standing.contacts.shape == (0,)
