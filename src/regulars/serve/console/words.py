"""What codes are called on a page; a code nobody named is shown as it is."""

from collections.abc import Mapping


def N_(text: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Mark a text for translation without translating it yet.

    Returns:
        The text.
    """
    return text


ROLES = {
    "viewer": N_("viewer"),
    "analyst": N_("analyst"),
    "marketer": N_("marketer"),
    "approver": N_("approver"),
    "admin": N_("admin"),
}
TURN_STATES = {
    "open": N_("in progress"),
    "closed": N_("closed"),
    "looked": N_("looked only, nobody contacted"),
}
FATES = {
    "sent": N_("Sent"),
    "holdout": N_("Held out to measure"),
    "abstained": N_("Left alone"),
    "skipped": N_("Skipped"),
    "deferred": N_("Put off"),
    "failed": N_("Failed"),
    "unknown": N_("Unconfirmed"),
}
VERDICTS = {
    "send": N_("To be contacted"),
    "holdout": N_("Held out to measure"),
    "abstain": N_("Left alone"),
    "skip": N_("Skipped"),
    "defer": N_("Put off"),
}
REASONS = {
    "chosen": N_("chosen: worth more than it costs"),
    "exploration": N_("left alone by the draw that keeps learning honest"),
    "negative_value": N_("no offer was worth its cost"),
    "margin_floor": N_("would cut below the margin floor"),
    "budget": N_("the budget went to customers worth more"),
    "global_holdout": N_("in the control group of the whole programme"),
    "campaign_holdout": N_("in the control group of this campaign"),
    "no_consent": N_("no consent recorded for this channel"),
    "consent_denied": N_("consent was denied"),
    "consent_withdrawn": N_("consent was withdrawn"),
    "suppressed": N_("on the do-not-contact list"),
    "opted_out": N_("unsubscribed"),
    "complained": N_("complained about an earlier contact"),
    "bounced": N_("address or number does not exist"),
    "frequency_cap": N_("contacted often enough lately"),
    "quiet_hours": N_("quiet hours"),
    "emergency_stop": N_("all contacts were stopped"),
    "stopped": N_("the campaign was stopped"),
    "out_of_stock": N_("the offer has run out"),
    "stock": N_("the offer has run out"),
    "no_channel": N_("no channel reaches this customer"),
    "no_offer": N_("no offer runs now"),
    "profiling_refused": N_("profiling was refused"),
    "handed_over": N_("handed to the channel"),
    "delivered": N_("delivered"),
    "unconfirmed": N_("the channel did not confirm before a crash"),
    "no_answer": N_("the channel did not answer"),
    "invalid_number": N_("the number cannot be reached"),
    "refused_by_provider": N_("the provider refused"),
    "rate_limited": N_("the provider's limit was reached"),
}
METRICS = {
    "margin": N_("Margin, after offers"),
    "sales": N_("Sales"),
    "orders": N_("Orders"),
    "residual_value": N_("Expected future margin"),
}
EFFECT_STATES = {
    "ok": N_("measured"),
    "srm": N_("not readable: the split is not as designed"),
    "too_few": N_("not readable: too few customers"),
}
CHANNELS = {
    "sms": N_("SMS"),
    "app": N_("App push"),
    "email": N_("E-mail"),
    "wecom": N_("WeCom"),
    "wechat": N_("WeChat"),
    "call": N_("Phone call"),
    "mail": N_("Direct mail"),
    "letter": N_("Letter"),
    "*": N_("all channels"),
}
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
    "contact": N_("Contact"),
    "receipt": N_("Response"),
    "redemption": N_("Coupon used"),
    "consent": N_("Consent"),
}
FINER = {
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
TABLES = {
    "customers": N_("customers"),
    "products": N_("products"),
    "stores": N_("stores"),
    "orders": N_("orders"),
    "order_lines": N_("order lines"),
    "returns": N_("returns"),
    "promotions": N_("promotions"),
    "campaigns": N_("past campaigns"),
    "campaign_members": N_("members of past campaigns"),
    "coupons": N_("coupons"),
    "redemptions": N_("redemptions"),
    "consents": N_("consents"),
    "contact_outcomes": N_("responses"),
    "offers": N_("offers"),
}
FAULTS = {
    "bad_encoding": N_("unreadable characters"),
    "wrong_field_count": N_("wrong number of fields"),
    "truncated_row": N_("row cut off"),
    "open_quote": N_("quotation mark never closed"),
    "empty_required": N_("value missing"),
    "wrong_type": N_("wrong type"),
    "not_a_number": N_("not a number"),
    "out_of_range": N_("out of range"),
    "unknown_value": N_("unknown value"),
    "unknown_id": N_("unknown id"),
    "duplicate_line": N_("duplicate"),
    "differs_within_key": N_("rows of one key disagree"),
    "conflicts_with_stored": N_("disagrees with what is stored"),
}
REFUSALS = {
    400: (
        N_("That did not work"),
        N_("The request could not be understood. Go back and try again."),
    ),
    401: (N_("Please sign in"), N_("Sign in to see this page.")),
    403: (
        N_("Not allowed"),
        N_("Your role does not allow this, or the form is too old. Reload the page and try again."),
    ),
    404: (N_("Not found"), N_("There is nothing here. Check the address, or start from Home.")),
    413: (N_("Too large"), N_("The request is too large.")),
    500: (
        N_("Something broke"),
        N_("The error was logged. Try again; if it stays, tell your admin."),
    ),
    503: (N_("Not available now"), N_("The workspace cannot be read at the moment.")),
}


def word(names: Mapping[str, str], code: str | None) -> str:
    """Give the English words for a code.

    Args:
        names: Words by code.
        code: The code; None and "" give "".

    Returns:
        The words, or the code itself when nobody named it: a code of a provider is better
        than nothing.

    Example:
        >>> word(REASONS, "no_consent"), word(REASONS, "isv.AMOUNT_NOT_ENOUGH"), word(REASONS, None)
        ('no consent recorded for this channel', 'isv.AMOUNT_NOT_ENOUGH', '')
    """
    return names.get(code, code) if code else ""
