"""Words of customers: who they are, how they shop, what joins them, what happened."""

from regulars.serve.console.words.naming import N_

CONTACT_DATA = {
    "name": N_("Name"),
    "phone": N_("Phone"),
    "email": N_("E-mail"),
    "wechat_id": N_("WeChat id"),
}
TAGS = {
    "gender": N_("Gender"),
    "age_group": N_("Age"),
    "city": N_("City"),
    "income_group": N_("Household income"),
    "household_size": N_("Household size"),
    "kids_count": N_("Children"),
    "marital_status": N_("Marital status"),
    "home_ownership": N_("Housing"),
    "province": N_("Province"),
    "member_level": N_("Member level"),
    "joined_on": N_("Member since"),
    "language": N_("Language"),
    "device_platform": N_("Phone or computer"),
    "acquisition_source": N_("Came by"),
}
TAG_VALUES = {"female": N_("female"), "male": N_("male")}
INDICATORS = {
    "days_known": N_("Days since the first order"),
    "recency_days": N_("Days since the last order"),
    "orders": N_("Orders"),
    "orders_30d": N_("Orders, last 30 days"),
    "orders_90d": N_("Orders, last 90 days"),
    "monetary": N_("Paid so far"),
    "monetary_30d": N_("Paid, last 30 days"),
    "monetary_90d": N_("Paid, last 90 days"),
    "basket_size": N_("Paid per order"),
    "weekly_orders": N_("Orders a week"),
    "gap_mean_days": N_("Days between orders"),
    "gap_sd_days": N_("Spread of days between orders"),
    "trend_30d": N_("Trend over 30 days"),
    "trend_90d": N_("Trend over 90 days"),
    "category_entropy": N_("Variety of categories, bits"),
    "favourite_category": N_("Favourite category"),
    "second_category": N_("Second category"),
    "discount_share": N_("Discount share"),
    "coupon_share": N_("Orders with a coupon"),
    "private_label_share": N_("Own-brand share"),
    "weekend_share": N_("Orders at weekends"),
    "evening_share": N_("Orders in the evening"),
    "favourite_hour": N_("Usual hour"),
    "store_loyalty": N_("Orders in the main store"),
    "margin_rate": N_("Margin rate"),
    "contacts_28d": N_("Contacts, last 28 days"),
    "contacts_7d": N_("Contacts, last 7 days"),
    "contacts_ever": N_("Contacts so far"),
    "engaged_share": N_("Contacts answered"),
    "favourite_store": N_("Main store"),
    "visits_7d": N_("Visits, last 7 days"),
    "visits_30d": N_("Visits, last 30 days"),
    "active_days_28d": N_("Active days, last 28 days"),
    "last_visit_days": N_("Days since the last visit"),
    "page_views_30d": N_("Pages seen, last 30 days"),
    "product_views_30d": N_("Products viewed, last 30 days"),
    "searches_30d": N_("Searches, last 30 days"),
    "cart_adds_30d": N_("Put in the cart, last 30 days"),
    "carts_abandoned_30d": N_("Carts left behind, last 30 days"),
    "checkouts_30d": N_("Checkouts begun, last 30 days"),
    "wishes_90d": N_("Put on a wish list, last 90 days"),
    "app_share": N_("Share seen in the app"),
    "deal_seeking": N_("Leaning: looks for deals"),
    "novelty_seeking": N_("Leaning: tries new things"),
    "brand_loyalty": N_("Leaning: stays with brands"),
    "deliberation": N_("Leaning: thinks it over"),
}
FIELDS = INDICATORS | TAGS
TAG_KINDS = {
    "rule": N_("Rule tag"),
    "model": N_("Model score"),
    "manual": N_("Manual tag"),
    "source": N_("Told by events"),
}
JOINS = {"all": N_("all of these"), "any": N_("any of these")}
SIGNS = {
    "=": N_("is"),
    "!=": N_("is not"),
    "<": N_("is less than"),
    "<=": N_("is at most"),
    ">": N_("is more than"),
    ">=": N_("is at least"),
    "in": N_("is one of"),
    "between": N_("is between"),
    "exists": N_("is known"),
    "missing": N_("is not known"),
}
SCORES = {
    "customer_values.p_alive": N_("Still a customer"),
    "customer_values.expected_orders": N_("Orders, next 13 weeks"),
    "customer_values.expected_spend": N_("Spend, next 13 weeks"),
    "customer_values.residual_value": N_("Expected future margin"),
    "rfm_scores.recency": N_("RFM: recency"),
    "rfm_scores.frequency": N_("RFM: frequency"),
    "rfm_scores.monetary": N_("RFM: money"),
    "churn_scores.silence_weeks": N_("Weeks of silence"),
    "churn_scores.churn_probability": N_("Probability of not coming back"),
    "churn_scores.recency_probability": N_("The same by silence alone"),
}
TIERS = {
    "high": N_("high value"),
    "middle": N_("middle value"),
    "low": N_("low value"),
    "active": N_("active"),
    "cooling": N_("cooling"),
    "sleeping": N_("sleeping"),
}
SEGMENTS = {
    "champions": N_("champions"),
    "loyal": N_("loyal"),
    "potential_loyal": N_("may become loyal"),
    "new": N_("new"),
    "promising": N_("promising"),
    "need_attention": N_("need attention"),
    "about_to_sleep": N_("about to sleep"),
    "at_risk": N_("at risk"),
    "cannot_lose": N_("must not be lost"),
    "hibernating": N_("hibernating"),
    "prospects": N_("has not bought yet"),
}
HAPPENINGS = {
    "order": N_("Order"),
    "return": N_("Return"),
    "visit": N_("Visit"),
    "event": N_("Event"),
    "contact": N_("Contact"),
    "receipt": N_("Response"),
    "redemption": N_("Coupon used"),
    "consent": N_("Consent"),
}
FINER = {
    "web": N_("on the web"),
    "store": N_("in a store"),
    "door": N_("counted at a door"),
    "delivered": N_("delivered"),
    "opened": N_("opened"),
    "clicked": N_("clicked"),
    "bounced": N_("address or number does not exist"),
    "complained": N_("complained"),
    "opted_out": N_("unsubscribed"),
    "granted": N_("granted"),
    "denied": N_("denied"),
    "withdrawn": N_("withdrawn"),
}
PURPOSES = {
    "marketing": N_("marketing"),
    "profiling": N_("profiling"),
    "service": N_("service"),
}
NAMESPACES = {
    "login": N_("Customer id"),
    "phone": N_("Phone"),
    "email": N_("E-mail"),
    "openid": N_("WeChat OpenID"),
    "unionid": N_("WeChat UnionID"),
    "card": N_("Member card"),
    "device": N_("Device"),
    "cookie": N_("Browser"),
    "record": N_("Record of a file"),
}
STANDINGS = {
    "joins": N_("joins"),
    "agrees": N_("agrees"),
    "refused": N_("refused"),
    "cut": N_("taken apart"),
}
EDGE_RULES = {
    "same_event": N_("in one event"),
    "members_file": N_("in one row of a file"),
    "by_hand": N_("by hand"),
    "matching": N_("alike (matched)"),
}
EDGE_REASONS = {
    "shared": N_("too many customers share it"),
    "unmerged": N_("taken apart by hand"),
    "unbound": N_("the client unbound it"),
    "parted": N_("taken apart before"),
}
REQUEST_KINDS = {"access": N_("a copy"), "erase": N_("erasure")}
RIGHTS_STATES = {
    "waiting": N_("waits for a second person"),
    "approved": N_("to be carried out"),
    "running": N_("interrupted, goes on"),
    "done": N_("answered"),
    "refused": N_("refused"),
}
LAWS = {"cn": N_("China"), "eu": N_("European Union")}
KEPT_FOR = {
    "consent": N_("proof of consent"),
    "refusal": N_("proof of refusal: not to be contacted"),
    "request": N_("proof that the request was answered"),
    "audit": N_("a log that could be edited proves nothing; the customer is covered in it"),
}
