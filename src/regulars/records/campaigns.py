"""What campaigns of people leave in the lake, so that their effect can be measured."""

from regulars.records.tables import Table, columns

CAMPAIGNS = (
    Table(
        "campaign_assignments",
        "reach",
        "one row per customer of a campaign's audience, once",
        columns("""
        campaign_id string the campaign
        version int64 version of the campaign
        phase string part of the audience: pilot, all...
        customer_id string! who
        assignment string contact, campaign_holdout or global_holdout, drawn beforehand
        is_global_holdout bool! true for the programme's control group
        is_campaign_holdout bool! true for the campaign's control group
        propensity float64 probability of the assignment before it was drawn
        send_propensity float64 probability of being sent to: 1 less the holdouts
        offer_id string? offer the campaign carries
        channel string?! channel chosen for those to be sent to
        assigned_at timestamp when the phase was put into the send ledger, aware UTC
        business_date date that day in the workspace's zone; outcomes count from the day after
        window_days int64 days of outcome the effect is measured over
    """),
        ("campaign_id", "customer_id"),
        "customer_id",
    ),
)
