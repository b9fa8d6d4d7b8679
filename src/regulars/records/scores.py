"""The tables the stations after collect write, a turn at a time."""

from regulars.records.tables import Table, columns


def _score(name: str, station: str, grain: str, key: str, subject: str, text: str) -> Table:
    turn = "turn int64 the turn that wrote the row\n"
    return Table(name, station, grain, columns(turn + text), ("turn", *key.split()), subject, True)


SCORES = (
    _score(
        "actor_scores",
        "collect",
        "one row per scored actor and turn",
        "kind actor",
        "",
        """
        kind string device, customer, address or machine
        actor string! id of the device or customer, address, or id of the machine
        events int64? events looked at; empty for what only hosts others
        score float64? how far it stands from the rest, 0 to 1; empty when too few were scored
        reasons string? why it is marked, separated by spaces; empty when it is not
    """,
    ),
    _score(
        "marked_actors",
        "collect",
        "one row per marked actor and turn its mark holds in",
        "kind actor",
        "",
        """
        kind string device, customer, address or machine
        actor string! id of the device or customer, address, or id of the machine
        reasons string why, separated by spaces
        marked_on date last day looked at when it was first marked
    """,
    ),
    _score(
        "marked_customers",
        "collect",
        "one row per customer left out of effects and turn",
        "customer_id",
        "customer_id",
        """
        customer_id string! who
        reasons string why, separated by spaces
        marked_on date last day looked at when first marked
    """,
    ),
    _score(
        "marked_orders",
        "collect",
        "one row per order a marked actor placed and turn",
        "order_id",
        "",
        """
        order_id string the order
        marked_on date last day looked at when its actor was first marked
    """,
    ),
    _score(
        "profiles",
        "unify",
        "one row per customer and turn",
        "customer_id",
        "customer_id",
        """
        customer_id string! who
        as_of date last day looked at
        age_group string?! static tag
        income_group string?! static tag
        household_size string?! static tag
        kids_count string?! static tag
        home_ownership string?! static tag
        marital_status string?! static tag
        city string?! static tag
        gender string?! static tag
        province string?! static tag, from events
        member_level string?! static tag, from events
        language string?! static tag, from events
        device_platform string?! static tag, from events
        acquisition_source string?! static tag, from events
        days_known int64! days since the first order, 0 on its day
        recency_days int64! days since the last order
        orders int64! orders so far
        orders_30d int64! orders in the last 30 days
        orders_90d int64! orders in the last 90 days
        monetary money! paid so far
        monetary_30d money! paid in the last 30 days
        monetary_90d money! paid in the last 90 days
        basket_size float64?! paid per order
        weekly_orders float64! orders a week since the first order
        gap_mean_days float64?! mean days between order days
        gap_sd_days float64?! spread of days between order days
        trend_30d float64?! orders of the last 30 days over those of the 30 before, smoothed
        trend_90d float64?! the same over 90 days
        category_entropy float64?! spread of spend over categories, in bits
        favourite_category string?! category with most spend
        second_category string?! category with second most spend
        discount_share float64?! discounts over undiscounted value
        coupon_share float64?! share of orders with a coupon
        private_label_share float64?! share of spend on the retailer's own brands
        weekend_share float64?! share of orders on Saturday or Sunday
        evening_share float64?! share of orders from 17:00 on, local time
        favourite_hour int64?! local hour with most orders
        store_loyalty float64?! share of orders in the most visited store
        favourite_store string?! most visited store
        margin_rate float64! margin over sales, own history shrunk to the retailer's mean
        contacts_28d int64! contacts handed over in the last 28 days
        contacts_7d int64! contacts handed over in the last 7 days
        contacts_ever int64! contacts handed over so far
        engaged_share float64?! share of contacts opened, clicked or redeemed
        visits_7d int64! visits in the last 7 days, from events
        visits_30d int64! visits in the last 30 days
        active_days_28d int64! days with something done in the last 28
        last_visit_days int64?! days since something was last done
        page_views_30d int64! pages and screens seen in the last 30 days
        product_views_30d int64! products looked at in the last 30 days
        searches_30d int64! searches in the last 30 days
        cart_adds_30d int64! products put in a cart in the last 30 days
        carts_abandoned_30d int64! days of the last 30 with a cart and no order
        checkouts_30d int64! checkouts begun in the last 30 days
        wishes_90d int64! products put on a wish list in the last 90 days
        app_share float64?! share of pages and screens seen in the app
        deal_seeking float64?! leaning: share of sales bought at a discount
        novelty_seeking float64?! leaning: share of purchases that are of a new product
        brand_loyalty float64?! leaning: concentration of spend on brands
        deliberation float64?! leaning: products looked at per order made online
    """,
    ),
    _score(
        "tag_members",
        "unify",
        "one row per tag, turn and customer who meets what the tag asks for",
        "tag customer_id",
        "customer_id",
        """
        tag string! name of the tag
        customer_id string! who
        version int64 version of the tag's definition
        entered_on date! day the customer first met it, without a break since
        is_member bool! false when it was taken from the customer, or has expired
    """,
    ),
    _score(
        "rfm_scores",
        "understand",
        "one row per customer and turn",
        "customer_id",
        "customer_id",
        """
        customer_id string! who
        recency int64! 5 bought most recently, 1 longest ago
        frequency int64! 5 buys most often
        monetary int64! 5 spends most
        segment string! name of the RFM cell, such as champions
    """,
    ),
    _score(
        "customer_values",
        "understand",
        "one row per customer and turn",
        "customer_id",
        "customer_id",
        """
        customer_id string! who
        p_alive float64! probability of still being a customer
        expected_orders float64! orders expected in the next 13 weeks
        expected_spend float64! money expected in the next 13 weeks
        residual_value float64! margin expected in the next 52 weeks
        value_tier string! high, middle or low expected value
        activity_tier string! active, cooling or sleeping
        grid_cell string! value tier and activity tier together
    """,
    ),
    _score(
        "value_models",
        "understand",
        "one row per turn and parameter",
        "model parameter",
        "",
        """
        model string bg_nbd (or mbg_nbd, pareto_nbd), gamma_gamma; spend_habits, _bg_nbd or _rate
        parameter string symbol as in the paper
        value float64 fitted value
    """,
    ),
    Table(
        "audience_changes",
        "understand",
        "one row per customer who entered or left an audience, and refresh",
        columns("""
        audience string name of the audience
        version int64 version of its rule
        customer_id string! who
        change string! entered or left
        at timestamp moment the refresh judged as of, aware UTC
        refresh int64 number of the refresh that saw it
    """),
        ("audience", "customer_id", "refresh"),
        "customer_id",
    ),
    _score(
        "churn_scores",
        "understand",
        "one row per customer and turn",
        "customer_id",
        "customer_id",
        """
        customer_id string! who
        is_at_risk bool! true for who ordered within the last 26 weeks
        silence_weeks float64?! weeks since the last order; empty without one
        churn_probability float64?! probability of no order in the next 13 weeks; empty if unknown
        recency_probability float64?! the same told by silence alone
    """,
    ),
    _score(
        "churn_models",
        "understand",
        "one row per turn and figure",
        "model figure",
        "",
        """
        model string hazard, or recency for silence alone
        figure string auc, brier, calibration_error, customers, churned: judged on the newest weeks
        value float64 its value
    """,
    ),
    _score(
        "decisions",
        "decide",
        "one row per customer in the audience and turn",
        "customer_id",
        "customer_id",
        """
        customer_id string! who
        verdict string! send, abstain, holdout, defer or skip: what the decision asks of reach
        reason string! reason code
        campaign_id string? campaign of the chosen action
        offer_id string? chosen offer
        channel string? chosen channel
        propensity float64! probability the chosen action (or none) had
        send_propensity float64! probability of any send after holdouts
        candidates string! JSON: per offer and channel its value, cost and probability
        verdicts string! JSON: offers and channels ruled out, with reason
        features string! JSON: feature values the policy saw
        expected_orders float64! orders the contact is expected to cause
        expected_margin float64! incremental margin expected, before contact cost
        value float64! incremental value the action was chosen by
        cost money! contact cost and planned offer cost
        is_global_holdout bool! true for the programme's control group
        is_campaign_holdout bool! true for the campaign's control group
        shadow_price float64! value the last unit of budget bought
        policy_version string! policy that decided
        model_version string! prior used; ends with /plain where it read no feature
        held_out_share float64? share of the campaign's chosen held out; empty before it was kept
    """,
    ),
    _score(
        "contacts",
        "reach",
        "one row per customer in the audience and turn",
        "customer_id",
        "customer_id",
        """
        key string deterministic key of the attempt
        customer_id string! who
        campaign_id string? campaign
        offer_id string? offer
        channel string? channel
        cost money contact cost really spent
        at timestamp? moment of hand-over, aware UTC
        fate string sent, abstained, holdout, deferred, skipped, failed or unknown
        reason string reason code of the fate
    """,
    ),
    _score(
        "effects",
        "measure",
        "one row per measured campaign, metric and turn of measuring",
        "measured_turn campaign_id metric",
        "",
        """
        measured_turn int64 turn whose contacts are measured
        campaign_id string campaign, or * for all campaigns of the turn
        metric string orders, sales, margin or residual_value
        window_days int64 days of outcome counted
        treated int64 customers assigned to contact
        control int64 customers held out
        srm_p float64? p-value of the sample-ratio check
        status string ok, srm or too_few: only ok may be read
        estimate float64? effect on all treated customers together
        low float64? lower end of the interval
        high float64? upper end of the interval
        level float64 coverage of the interval
        mde float64? smallest effect found with probability 0.8
        cost money contact cost of the treated
    """,
    ),
    _score(
        "campaign_effects",
        "measure",
        "one row per written campaign or journey, metric and turn of measuring",
        "campaign_id metric",
        "",
        """
        campaign_id string the campaign or journey
        metric string orders, sales, margin or residual_value
        from_day date first day a measured customer was assigned
        to_day date last day of outcome counted
        assigned int64 customers assigned so far, those of the global holdout left out
        treated int64 customers assigned to contact whose window has passed
        control int64 customers held out of it whose window has passed
        holdout_share float64 designed share held out
        srm_p float64? p-value of the sample-ratio check
        status string ok, srm or too_few: only ok may be read
        estimate float64? effect on all treated customers together
        low float64? lower end of the interval
        high float64? upper end of the interval
        level float64 coverage of the interval
        mde float64? smallest effect found with probability 0.8
        cost money contact cost of the campaign so far
        looks int64 times it has been measured, this one included
        claims bool true when an effect is claimed: on margin, at any number of looks
    """,
    ),
    _score(
        "cell_effects",
        "measure",
        "one row per measured turn, segment, channel, offer and turn of measuring",
        "measured_turn segment channel offer_id",
        "",
        """
        measured_turn int64 turn whose contacts are measured
        segment string RFM cell of the customers, or unscored
        channel string channel
        offer_id string offer
        treated int64 customers assigned to contact
        expected float64 how many the logged probabilities would have assigned
        status string ok, srm (far more or fewer than expected) or too_few: only ok may be read
        spend money taken from the budget: contacts, and what is set aside for offers
        effect float64? margin caused, before contacts and what is set aside
        standard_error float64? of the effect
        most float64? what contacting the whole segment so would take
    """,
    ),
    _score(
        "budget_plans",
        "adjust",
        "one row per cell of the plan a turn made of the money",
        "segment channel offer_id",
        "",
        """
        segment string RFM cell of the customers, or unscored
        channel string channel
        offer_id string offer
        is_binding bool true when the turn keeps to it: the plan is followed, or a person said so
        least float64 least money the turn puts into the cell
        most float64? most money; empty for no limit
        spend float64? money planned; empty before anything was measured
        fixed float64? part that goes where it went before
        before float64? money per measured turn
        expected float64? margin expected of it, before its own cost
        low float64? lower end of the interval, 90 %
        high float64? upper end of it
        marginal float64? what one more unit of money would bring
        chance_of_loss float64? probability that it would bring less than it costs
        bound_by string price, floor, ceiling, pin, risk, worthless, fixed, budget or unplanned
        first_return float64? what the first unit of money brings
        spread float64? standard deviation of that
        saturation float64? money after which the next unit brings 37 % of the first
        points int64 measured turns behind the curve
        why string who decided it and why; empty for the plan
        budget float64 money of the turn
        to_spend float64 most of it that may be spent: less the reserve where the plan is followed
        shadow_price float64 what one more unit of money would bring above its cost
    """,
    ),
    _score(
        "programme_effects",
        "measure",
        "one row per metric and turn of measuring",
        "metric",
        "",
        """
        metric string orders, sales, margin or residual_value
        from_turn int64 first turn counted
        to_turn int64 last turn counted
        treated int64 customers outside the global holdout
        control int64 customers in the global holdout
        srm_p float64? p-value of the sample-ratio check
        status string ok, srm or too_few
        estimate float64? cumulative effect on all treated customers together
        low float64? lower end of the interval
        high float64? upper end of the interval
        level float64 coverage of the interval
        mde float64? smallest effect found with probability 0.8
        claims bool true when an effect is claimed
    """,
    ),
    _score(
        "predictions",
        "measure",
        "one row per measured campaign and turn of measuring",
        "measured_turn campaign_id",
        "",
        """
        measured_turn int64 turn whose contacts are measured
        campaign_id string campaign
        predicted float64 incremental margin the decisions expected
        measured float64? incremental margin measured
        low float64? lower end of the interval
        high float64? upper end of the interval
        inside bool? true when the prediction lies in the interval
    """,
    ),
    _score(
        "uplift_priors",
        "adjust",
        "one row per term and turn",
        "term",
        "",
        """
        term string block, arm part and feature, such as offer:news:intercept
        position int64 order of the term
        block string group of terms that share one prior spread
        prior_mean float64 belief before any data
        prior_sd float64 spread of the block, estimated from the data
        mean float64 belief about the coefficient after the data
        sd float64 its standard error
        information float64 data vector of the regression, discounted
        precision_row string JSON: row of the data precision matrix, discounted
    """,
    ),
    _score(
        "parameters",
        "adjust",
        "one row per tuned parameter and turn",
        "name",
        "",
        """
        name string what is tuned, such as spend_share or carry_over.1
        value float64 its value from this turn on
        weight float64 precision of the value, 0 when nothing was measured
    """,
    ),
    _score(
        "alerts",
        "adjust",
        "one row per share, cost or effect that left its limits and turn",
        "channel kind",
        "",
        """
        measured_turn int64 turn whose contacts they were
        channel string the channel; * for all
        kind string delivered, opened, opted_out, failed, cost or effect
        gravity string better, worse or broken
        share float64 the share, 0 to 1; cost and effect: money per contact
        usual float64 the same, pooled over the turns before
        low float64 lower control limit
        high float64 upper control limit
        z float64 distance from the usual share in standard deviations of the chart
        tried int64 contacts it is about
        action string held, released (a person's word stands against it), needs_person or none
    """,
    ),
    _score(
        "channel_holds",
        "adjust",
        "one row per channel left alone and turn",
        "channel",
        "",
        """
        channel string the channel
        since_turn int64 turn from which on
        until_turn int64 first turn that uses it again
        source string automatic or person
        reason string the alert it rests on, or what the person said
    """,
    ),
    _score(
        "adjustments",
        "adjust",
        "one row per change and turn",
        "subject",
        "",
        """
        subject string what was changed: an arm's mean effect, exploration, carry-over
        before float64? value before
        after float64 value after
        evidence string JSON: the rows and readouts it rests on
    """,
    ),
)

ONLINE = (
    Table(
        "online_decisions",
        "decide",
        "one row per decision made online",
        columns("""
        decision_id string names it: of customer, request and all it was drawn from
        customer_id string! who
        request_id string what asked; it seeds the draw
        at timestamp when, aware UTC
        turn int64 turn whose knowledge was used
        verdict string! send, abstain, holdout or skip
        reason string! reason code
        campaign_id string? campaign of the chosen action
        offer_id string? chosen offer
        channel string? chosen channel
        propensity float64! probability of the chosen action (or none); of the drawn one if unpaid
        send_propensity float64! probability of any send after holdouts
        candidates string! JSON: per offer and channel its value, probability, spread and charge
        ruled_out string! JSON: offers and channels ruled out, by reason
        features string! JSON: feature values the policy saw; empty where it saw none
        value float64! incremental value the action was chosen by
        cost money! what the send takes from the budget
        shadow_price float64! price of money it was chosen at
        policy_version string policy that decided
        model_version string belief used; ends with /plain where it read no feature
    """),
        ("decision_id",),
        "customer_id",
    ),
    Table(
        "online_exposures",
        "decide",
        "one row per online decision that was seen",
        columns("""
        decision_id string the decision; it is in online_decisions
        at timestamp when it was first seen, aware UTC
    """),
        ("decision_id",),
    ),
    Table(
        "online_responses",
        "decide",
        "one row per online decision that was seen and what was done with it",
        columns("""
        decision_id string the decision; it is in online_exposures
        kind string! clicked or dismissed
        at timestamp when it was first done, aware UTC
    """),
        ("decision_id", "kind"),
    ),
)
