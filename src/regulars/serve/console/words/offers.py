"""Words of offers, coupons and the library of contents."""

from regulars.serve.console.words.naming import N_

OFFER_KINDS = {
    "percent": N_("Percent off"),
    "amount": N_("Money off"),
    "threshold": N_("Spend and save"),
    "gift": N_("Gift"),
    "free_shipping": N_("Free shipping"),
    "points": N_("More points"),
    "news": N_("News"),
}
COUPON_STATES = {
    "free": N_("free"),
    "reserved": N_("reserved"),
    "issued": N_("given out"),
    "redeemed": N_("redeemed"),
    "expired": N_("ended"),
    "void": N_("void"),
}
COUPON_REFUSALS = {
    "out_of_scope": N_("not good for these products, this store or this way of buying"),
    "below_min_order": N_("the order is too small"),
    "cost_unknown": N_("a cost is missing, so the margin floor cannot be checked"),
    "below_floor": N_("too little margin would be left"),
    "same_offer": N_("the same offer is used already"),
    "same_group": N_("another offer of its group is used"),
    "exclusive": N_("one of them stands alone"),
    "too_many": N_("the order has as many offers as it may"),
    "over_order_limit": N_("more would be taken off than an order allows"),
    "better_without": N_("the others take off more without it"),
}
LEAKS = {
    "wrong_customer": N_("Used by somebody else than its holder"),
    "used_too_often": N_("Used more often than it may be"),
    "over_limit": N_("More than the limit per customer"),
    "after_end": N_("Used after its end"),
    "below_min_order": N_("Order below the least sum"),
    "stacked": N_("Stacked against the rules"),
    "over_amount": N_("More taken off than the offer says"),
    "burst": N_("Far more uses than usual"),
    "guessing": N_("Codes tried one after the other"),
}
REVIEWS = {
    "draft": N_("Draft"),
    "in_review": N_("In review"),
    "approved": N_("Approved"),
    "sent_back": N_("Changes asked for"),
}
PLATFORMS = {
    "xiaohongshu": N_("Xiaohongshu"),
    "douyin": N_("Douyin"),
    "kuaishou": N_("Kuaishou"),
    "bilibili": N_("Bilibili"),
    "weibo": N_("Weibo"),
    "wechat": N_("WeChat"),
}
CREATOR_KINDS = {"koc": "KOC", "kol": "KOL"}
