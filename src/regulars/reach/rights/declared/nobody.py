"""Which tables hold no customer: a new table is named here, or declared with what it holds."""

NOBODY = frozenset(
    """
    alembic_version api_keys approval_acts approval_requests audience_positions audiences
    audit_anchors budget_following budget_limits budget_pins budget_reviews campaign_phases
    campaign_versions campaigns channel_health channel_overrides channel_words
    content_facets contents copy_decisions copy_evidence copy_names coupon_batches coupon_pools
    creators drain_positions event_totals experiment_changes experiment_looks experiments
    identity_positions journal journey_events journey_listens journey_nodes
    journey_occasions journey_positions journey_steps
    journey_versions journeys legal_bases link_destinations matching_runs model_changes
    model_trials models notice_floors notices offer_stock offer_versions
    online_takings plan_versions
    plan_violation_counts points_marks points_prizes points_programmes points_seeds policies
    policy_moves
    property_types publishable_keys quality_positions runs sessions sign_in_failures
    source_positions surveys
    tags tasks turns unlearned_turns unreadable_files users watermarks write_keys
    """.split()  # noqa: SIM905 - eighty names read better as text
)
"""Tables of the state without a row about any customer."""

COVERED = {
    "erased_ids": "keyed hashes of ids, so that nothing of an erased customer comes back",
    "observed_events": "counts of events; examples have letters and digits covered",
    "observed_properties": "counts of properties; examples have letters and digits covered",
    "plan_violations": "a sample of each fault, letters and digits covered",
    "receipt_posts": "bodies of receipts, encrypted, deleted after 30 days",
    "replays": "events to be decided again, encrypted, deleted once they are",
    "short_links": "signed links, in which a contact is a hash of its key",
}
"""Tables of the state in which something of a customer may stand, but not so it can be read."""

LAKE_NOBODY = frozenset(
    """
    products stores promotions campaigns coupons offers imports ad_costs stock_levels shipments
    weather_days calendar_days competitor_prices receipts value_models churn_models effects
    campaign_effects cell_effects budget_plans programme_effects predictions uplift_priors
    parameters alerts channel_holds adjustments online_exposures online_responses
    marked_orders social_mentions
    """.split()  # noqa: SIM905
)
"""Tables of the lake without a row about any customer; authors of mentions are not customers."""
