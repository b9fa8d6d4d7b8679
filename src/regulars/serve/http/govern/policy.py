"""The rules of contact over HTTP: what they are, and what they would say of one contact."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regulars.errors import UnknownName
from regulars.govern.policy.asks import MARKETING_CLASS, TRANSACTIONAL_CLASS, Ask
from regulars.govern.policy.reasons import explain
from regulars.reach.standing.gate import gate_of
from regulars.reach.standing.service import check
from regulars.reach.standing.shown import PolicyShown, shown_policy
from regulars.serve.http.door.guard import Caller

router = APIRouter()


class Wanted(BaseModel):
    """A contact as somebody would make it."""

    model_config = ConfigDict(extra="forbid")

    customer_id: str = Field(min_length=1, max_length=200)
    channel: str = Field(min_length=1, max_length=100)
    message_class: str = MARKETING_CLASS
    topic: str = Field(default="", max_length=100)
    campaign_id: str = Field(default="", max_length=200)
    offer_id: str = Field(default="", max_length=200)
    sender: str = Field(default="", max_length=200)
    is_automated: bool = True


@dataclass(frozen=True)
class RuleSays:
    """What one rule says of the contact.

    Attributes:
        rule: The rule.
        reason: Reason code, with what was full or who came first; "" when it lets it pass.
        en: The reason in English.
        zh: The reason in Chinese.
        hold_until: When it may be asked again; None when waiting does not help.
    """

    rule: str
    reason: str
    en: str
    zh: str
    hold_until: datetime | None


@dataclass(frozen=True)
class PolicySays:
    """What would come of the contact now, and what every rule says.

    Attributes:
        decision: allow, hold or skip.
        reason: Reason code of the first rule that refuses; "" when allowed.
        hold_until: When it would be asked again; None unless held.
        rules: Every rule, in the order they are asked.
        zone: IANA zone the customer was taken to be in.
        age: adult, minor or child.
        consent: Status of consent to marketing on the channel.
        counted: Contacts of the customer that may count against a limit.
    """

    decision: str
    reason: str
    hold_until: datetime | None
    rules: list[RuleSays]
    zone: str
    age: str
    consent: str
    counted: int


@router.get("/api/govern/policy", tags=["govern"])
def read_policy(request: Request) -> PolicyShown:
    """Every rule of contact, cap and quota, with its source; not legal advice."""
    caller: Caller = request.state.caller
    return shown_policy(caller.workspace.settings, now=caller.now)


@router.post("/api/govern/policy/check", tags=["govern"])
def check_contact(request: Request, wanted: Wanted) -> PolicySays:
    """What the rules would say of one contact now; nothing is sent, nothing is counted."""
    caller: Caller = request.state.caller
    settings = caller.workspace.settings
    if wanted.channel not in settings.channels:
        raise UnknownName("channel", wanted.channel, settings.channels)
    if wanted.message_class not in {MARKETING_CLASS, TRANSACTIONAL_CLASS}:
        raise UnknownName(
            "message_class", wanted.message_class, [MARKETING_CLASS, TRANSACTIONAL_CLASS]
        )
    ask = Ask("check", **wanted.model_dump())
    found = check(caller.workspace.state, gate_of(settings, now=caller.now), ask, now=caller.now)
    return PolicySays(
        found.verdict.decision,
        found.verdict.reason,
        found.verdict.hold_until,
        [
            RuleSays(
                one.rule,
                one.reason,
                explain(one.reason) if one.reason else "",
                explain(one.reason, "zh-CN") if one.reason else "",
                one.hold_until,
            )
            for one in found.answers
        ],
        found.zone,
        found.age,
        found.consent,
        found.counted,
    )
