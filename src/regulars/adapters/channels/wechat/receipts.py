"""What WeCom and official accounts report: sent, failed, left, one more message allowed.

Source: developers.weixin.qq.com TEMPLATESENDJOBFINISH, subscribe_msg_sent_event,
subscribe_msg_popup_event, subscribe_msg_change_event, unsubscribe;
developer.work.weixin.qq.com change_external_contact.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from regulars.adapters.channels.wechat.callbacks import event_of
from regulars.records.receipts import ParsedReceipt, ReceiptKind

_LEFT = {"del_follow_user"}


def parse_wechat(
    raw: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> list[ParsedReceipt]:
    """Read a callback of WeCom, an official account or a mini program.

    Args:
        raw: The body.
        headers: The query under names that begin with "?".
        secret: Token, EncodingAESKey and id, with spaces between.
        now: The moment.

    Returns:
        Receipts of what was sent, opt-outs of who left, and grants of who allowed a message by a
        template, which `detail` names; empty for other events.
    """
    events = event_of(raw, headers, secret=secret, now=now)
    return [receipt for event in events for receipt in _receipts(event, now)]


def _receipts(event: Mapping[str, str], now: datetime) -> list[ParsedReceipt]:
    name = event.get("Event", "")
    who = event.get("ExternalUserID") or event.get("FromUserName", "")
    if name == "TEMPLATESENDJOBFINISH":
        is_there = event.get("Status") == "success"
        return [_sent(event, event.get("MsgID", ""), is_there, event.get("Status", ""), now)]
    if name == "subscribe_msg_sent_event":
        is_there = event.get("ErrorCode") == "0"
        return [_sent(event, event.get("MsgID", ""), is_there, event.get("ErrorStatus", ""), now)]
    if name == "subscribe_msg_popup_event":
        return [_granted(event, who, now)] if event.get("SubscribeStatusString") == "accept" else []
    has_left = name == "unsubscribe" or event.get("ChangeType") in _LEFT
    says_no = (
        name == "subscribe_msg_change_event" and event.get("SubscribeStatusString") == "reject"
    )
    if has_left or says_no:
        detail = "left" if has_left else "subscription_refused"
        when, what = event.get("CreateTime", ""), event.get("TemplateId", "")
        return [
            ParsedReceipt(
                kind=ReceiptKind.OPTED_OUT,
                occurred_at=_at(event, now),
                detail=detail,
                address=who,
                notice_id=f"{_digest(who)}:{when}:{name}:{what}",
            )
        ]
    return []


def _granted(event: Mapping[str, str], who: str, now: datetime) -> ParsedReceipt:
    template = event.get("TemplateId", "")
    return ParsedReceipt(
        kind=ReceiptKind.GRANTED,
        occurred_at=_at(event, now),
        detail=template,
        address=who,
        notice_id=f"{_digest(who)}:{event.get('CreateTime', '')}:granted:{template}",
    )


def _sent(
    event: Mapping[str, str], msgid: str, is_there: bool, status: str, now: datetime
) -> ParsedReceipt:
    is_blocked = "block" in status
    kind = ReceiptKind.DELIVERED if is_there else ReceiptKind.FAILED
    return ParsedReceipt(
        kind=ReceiptKind.OPTED_OUT if is_blocked else kind,
        occurred_at=_at(event, now),
        provider_id=msgid,
        detail="" if is_there else status.partition(":")[2].strip() or status,
        address=event.get("FromUserName", "") if is_blocked else "",
        notice_id=f"{msgid}:{status}",
    )


def _digest(address: str) -> str:
    """Name an address without showing it."""
    return hashlib.blake2b(address.encode(), digest_size=8).hexdigest()


def _at(event: Mapping[str, str], now: datetime) -> datetime:
    told = event.get("CreateTime", "")
    return min(now, datetime.fromtimestamp(int(told), UTC)) if told.isdigit() else now
