"""Words of reaching people: rules of contact, receipts, alerts, findings of copy review."""

from regulars.serve.console.words.naming import N_

RULES = {
    "holdout": N_("Control groups"),
    "emergency_stop": N_("Stop of everything"),
    "consent": N_("Consent"),
    "suppression": N_("Do not contact"),
    "minors": N_("Minors"),
    "profiling": N_("Profiling switched off"),
    "platform_quota": N_("Quotas of platforms"),
    "frequency_cap": N_("Caps"),
    "quiet_hours": N_("Quiet hours"),
    "stock": N_("Stock of the offer"),
    "experiment": N_("Running experiments"),
}
WINDOWS = {
    "rolling": N_("rolling"),
    "calendar_day": N_("per calendar day"),
    "calendar_month": N_("per calendar month"),
}
CLASSES = {"marketing": N_("Marketing"), "transactional": N_("Service message")}
DECISIONS = {
    "allow": N_("may go out"),
    "hold": N_("would wait"),
    "skip": N_("would not go out"),
}
SEVERITIES = {
    "block": N_("may not go out"),
    "evidence": N_("needs evidence"),
    "review": N_("a person should look"),
    "notice": N_("something is missing"),
}
ALERTS = {
    "waiting": N_("planned, and nobody hands it over"),
    "claimed": N_("a process fell silent"),
    "held": N_("a hold has ended"),
    "closed": N_("a channel is left alone"),
    "unknown": N_("unconfirmed"),
}
RECEIPTS = {
    "delivered": N_("delivered"),
    "opened": N_("opened"),
    "clicked": N_("clicked"),
    "bounced": N_("bounced"),
    "complained": N_("complained"),
    "opted_out": N_("unsubscribed"),
    "failed": N_("failed"),
}
STANDING = {
    "counted": N_("counted"),
    "program": N_("by a program, not counted"),
    "waiting": N_("contact not known yet"),
    "by_address": N_("by address only"),
}
CARRIERS = {
    "outbox": N_("files in the outbox, for others to send"),
    "email": N_("e-mail (SMTP)"),
    "aliyun_sms": N_("Aliyun SMS"),
    "tencent_sms": N_("Tencent SMS"),
    "wecom": N_("WeCom, by staff"),
    "wecom_welcome": N_("WeCom welcome"),
    "group_bot": N_("WeCom group bot"),
    "wechat_template": N_("WeChat template message"),
    "wechat_subscribe": N_("WeChat subscribe message"),
    "mini_program": N_("WeChat mini-program"),
    "fcm": N_("Firebase push"),
    "jpush": N_("JPush"),
    "web_push": N_("web push"),
    "webhook": N_("a webhook of yours"),
    "onsite": N_("your own pages"),
    "csv": N_("a CSV list"),
    "xlsx": N_("an Excel list"),
}
RECOVERIES = {
    "resend": N_("asks again under the same key"),
    "reconcile": N_("asks the provider what became of it"),
    "hold_unknown": N_("lists the doubt, contacts nobody twice"),
}
AGES = {"adult": N_("adult"), "minor": N_("under 18"), "child": N_("under 14")}
AUDIENCES = {
    "everybody": N_("everybody known"),
    "audience": N_("customers of a saved audience"),
    "tag": N_("customers with a tag"),
    "segment": N_("customers of a segment"),
    "list": N_("a list of customers"),
    "rule": N_("customers by a rule"),
    "trigger": N_("whoever an event names, one by one"),
}
ROLL_OUTS = {
    "at_once": N_("everybody at once"),
    "pilot": N_("5 % as a pilot, then everybody"),
    "three": N_("5 % as a pilot, 30 % of the regions, then everybody"),
}
PHASES = {"pilot": N_("pilot"), "region": N_("region"), "all": N_("everybody left")}
PHASE_STATES = {
    "waiting": N_("waits"),
    "sending": N_("sending"),
    "passed": N_("passed"),
    "stopped": N_("stopped"),
}
CAMPAIGN_STATES = {
    "draft": N_("draft"),
    "in_review": N_("in review"),
    "approved": N_("approved"),
    "running": N_("running"),
    "paused": N_("paused"),
    "finished": N_("finished"),
    "stopped": N_("stopped"),
}
REQUEST_STATES = {
    "waiting": N_("waits"),
    "approved": N_("approved"),
    "changes_asked": N_("changes asked for"),
    "withdrawn": N_("taken back"),
    "superseded": N_("overtaken by a newer version"),
}
ACTS = {
    "request": N_("asked for approval"),
    "comment": N_("said"),
    "ask_changes": N_("asked for changes"),
    "approve": N_("approved it"),
    "withdraw": N_("took it back"),
    "supersede": N_("changed it, so it asks again"),
}
CHANGED_FIELDS = {
    "id": N_("Short name"),
    "name": N_("Campaign name"),
    "note": N_("What it is for"),
    "audience.kind": N_("To whom"),
    "audience.name": N_("Audience, tag or segment"),
    "audience.customers": N_("Customers in the list"),
    "channels": N_("Channels, tried in this order"),
    "content.sms": N_("Text message"),
    "content.app": N_("App message"),
    "content.email": N_("E-mail message"),
    "content.wechat": N_("WeChat message"),
    "content.wecom": N_("WeCom message"),
    "holdout": N_("Left alone to measure"),
    "message_class": N_("Class"),
    "offer": N_("Offer"),
    "topic": N_("Topic"),
    "priority": N_("Priority"),
    "not_before": N_("Not before"),
    "phases.name": N_("Phase"),
    "phases.share": N_("Share of the phase"),
    "phases.wait_hours": N_("Hours to wait after the phase"),
    "region_field": N_("What a region is told by"),
    "stop.bounce": N_("Stops when so many bounce"),
    "stop.complaint": N_("Stops when so many complain"),
    "stop.error": N_("Stops when so many fail"),
    "stop.opt_out": N_("Stops when so many unsubscribe"),
    "stop.least_sent": N_("Contacts before it may stop by itself"),
    "stop.level": N_("Certainty before it stops by itself"),
    "window_days": N_("Days measured"),
}
QUOTAS = {
    "wecom_month": N_("WeCom mass messages: 4 per customer and calendar month from one enterprise"),
    "wecom_member_day": N_("WeCom mass messages: 1 per customer and day from one member of staff"),
    "aliyun_code_minute": N_("Aliyun verification codes: 1 a minute per signature and number"),
    "aliyun_code_hour": N_("Aliyun verification codes: 5 an hour per signature and number"),
    "aliyun_code_day": N_("Aliyun verification codes: 10 a day per signature and number"),
    "aliyun_code_number_day": N_("Aliyun verification codes: 40 a day per number, all signatures"),
    "aliyun_template_day": N_(
        "Aliyun notices and promotion: 50 a day per signature, template and number"
    ),
    "wechat_template_marketing": N_(
        "WeChat official account, template messages: service notices only, no marketing"
    ),
    "wechat_subscribe_grant": N_("WeChat one-time subscribe notice: one per grant of the customer"),
    "mini_program_grant": N_("Mini-program subscribe message: one per grant of the customer"),
}
RESTS_ON = {
    "PIPL Art. 13, Advertising Law Art. 43": N_("PIPL Art. 13, Advertising Law Art. 43"),
    "PIPL Art. 13, Advertising Law Art. 43; policy.consent_required": N_(
        "PIPL Art. 13, Advertising Law Art. 43; setting policy.consent_required"
    ),
    "PIPL Art. 14; required notice, policy.notice_version": N_(
        "PIPL Art. 14; the notice required, setting policy.notice_version"
    ),
    "PIPL Art. 15": N_("PIPL Art. 15"),
    "PIPL Art. 15, Consumer Rights Implementing Regulation Art. 24": N_(
        "PIPL Art. 15, Consumer Rights Implementing Regulation Art. 24"
    ),
    "PIPL Art. 24(2), E-Commerce Law Art. 18": N_("PIPL Art. 24(2), E-Commerce Law Art. 18"),
    "PIPL Art. 31; policy.child_age": N_("PIPL Art. 31; setting policy.child_age"),
    "Regulation on the Protection of Minors in Cyberspace Art. 24(3); policy.minor_age": N_(
        "Regulation on the Protection of Minors in Cyberspace Art. 24(3); setting policy.minor_age"
    ),
    "Advertising Law Art. 43; bounces, complaints and opt-outs of channels": N_(
        "Advertising Law Art. 43; bounces, complaints and opt-outs of channels"
    ),
    "emergency stop of the workspace": N_("the stop of everything"),
    "limit_per_customer of the offer": N_("the offer's limit per customer"),
    "variants of the experiment": N_("the experiment's variants"),
    "loop.campaign_holdout": N_("setting loop.campaign_holdout"),
    "loop.global_holdout": N_("setting loop.global_holdout"),
    "policy.cap_contacts, policy.caps": N_("settings policy.cap_contacts and policy.caps"),
    "policy.quiet_from, policy.quiet_to, policy.quiet": N_(
        "settings policy.quiet_from, policy.quiet_to and policy.quiet"
    ),
    "priority of campaigns": N_("the priority of campaigns"),
    "rules of the platform, see the quotas": N_("rules of the platform, see the quotas above"),
    "stock of the offer": N_("the offer's stock"),
}
RISKS = {
    "blocking_findings": N_("holds words that may not go out"),
    "empty_audience": N_("nobody is in the audience"),
    "no_content": N_("says nothing"),
    "no_holdout": N_("leaves nobody alone, so nothing can be measured"),
    "all_at_once": N_("reaches many at once, without a pilot"),
    "everybody": N_("is about everybody known"),
    "open_findings": N_("has findings a person should look at"),
    "no_topic": N_("has no topic a customer could leave"),
    "no_end": N_("has no last moment"),
    "several_channels": N_("uses several channels"),
}
RATES = {
    "bounce": N_("bounced"),
    "complaint": N_("complained"),
    "error": N_("refused or unconfirmed"),
    "opt_out": N_("unsubscribed"),
}
POINTS_REASONS = {
    "order": N_("order"),
    "return": N_("return"),
    "gift": N_("gift"),
    "goodwill": N_("goodwill"),
    "correction": N_("correction"),
    "reward": N_("reward"),
    "draw": N_("prize draw"),
    "badge": N_("badge"),
    "referral": N_("friend brought"),
    "check_in": N_("check-in"),
    "task": N_("task"),
    "activate": N_("lock ended"),
    "expire": N_("expired"),
    "identity": N_("customers became one, or parted"),
}
POINTS_KINDS = {
    "earn": N_("given"),
    "redeem": N_("spent"),
    "reverse": N_("taken back"),
    "activate": N_("lock ended"),
    "expire": N_("expired"),
    "move": N_("moved with the customer"),
}
