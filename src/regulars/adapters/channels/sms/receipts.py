"""What Aliyun and Tencent report of SMS, and what customers answer.

Source: help.aliyun.com SmsReport and SmsUp; cloud.tencent.com/document/product/382/52077
(state) and 382/42907 (answers). Neither signs, so the address holds a shared word.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.adapters.channels.plumbing.shared_word import check_word, china_moment, rows_of
from regulars.records.receipts import ParsedReceipt, ReceiptKind

# What people answer who want no more, after spaces and marks are taken off.
_OUT = re.compile(r"(R|T|TD|N|0000|STOP|退订|拒收|取消|不要再发.*|QX)", re.IGNORECASE)
_MARKS = re.compile(r"[\s,.!?;:。,!?;:“”\"'、]+")


def is_opt_out(text: str) -> bool:
    """Whether an answer asks for no more messages.

    Returns:
        True for R, TD, 退订 and their like, alone in the answer.

    Example:
        >>> is_opt_out(" r "), is_opt_out("退订。"), is_opt_out("Return my order")
        (True, True, False)
    """
    return _OUT.fullmatch(_MARKS.sub("", text)) is not None


def parse_aliyun(
    raw: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> list[ParsedReceipt]:
    """Read a post of Aliyun.

    Args:
        raw: The body.
        headers: Headers and query.
        secret: The shared word.
        now: The moment.

    Returns:
        One receipt per report, and one per answer that opts out.
    """
    check_word(headers, secret=secret)
    return [
        receipt
        for row in rows_of(raw, what="Aliyun's reports")
        for receipt in (_aliyun_answer(row, now) if "content" in row else [_aliyun(row, now)])
    ]


def parse_tencent(
    raw: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> list[ParsedReceipt]:
    """Read a post of Tencent Cloud.

    Args:
        raw: The body.
        headers: Headers and query.
        secret: The shared word.
        now: The moment.

    Returns:
        One receipt per report, and one per answer that opts out.
    """
    check_word(headers, secret=secret)
    return [
        receipt
        for row in rows_of(raw, what="Tencent's reports")
        for receipt in (_tencent_answer(row, now) if "text" in row else [_tencent(row, now)])
    ]


def _aliyun(row: Mapping[str, Any], now: datetime) -> ParsedReceipt:
    is_there = row.get("success") is True or str(row.get("success")).lower() == "true"
    biz, key = str(row.get("biz_id", "")), str(row.get("out_id") or "")
    return ParsedReceipt(
        kind=ReceiptKind.DELIVERED if is_there else ReceiptKind.FAILED,
        occurred_at=china_moment(str(row.get("report_time", "")), now=now),
        key=key,
        provider_id=biz,
        detail="" if is_there else str(row.get("err_code", "")),
        notice_id=f"{biz}:{key}:{row.get('err_code', '')}",
    )


def _aliyun_answer(row: Mapping[str, Any], now: datetime) -> list[ParsedReceipt]:
    if not is_opt_out(str(row["content"])):
        return []
    return [
        ParsedReceipt(
            kind=ReceiptKind.OPTED_OUT,
            occurred_at=china_moment(str(row.get("send_time", "")), now=now),
            detail="answered",
            address=_number(str(row.get("phone_number", "")), "86"),
            notice_id=str(row.get("sequence_id", "")),
        )
    ]


def _tencent(row: Mapping[str, Any], now: datetime) -> ParsedReceipt:
    is_there = row.get("report_status") == "SUCCESS"
    return ParsedReceipt(
        kind=ReceiptKind.DELIVERED if is_there else ReceiptKind.FAILED,
        occurred_at=china_moment(str(row.get("user_receive_time", "")), now=now),
        key=str(row.get("ext") or row.get("session_context") or ""),
        provider_id=str(row.get("sid", "")),
        detail="" if is_there else str(row.get("errmsg", "")),
        notice_id=f"{row.get('sid', '')}:{row.get('report_status', '')}",
    )


def _tencent_answer(row: Mapping[str, Any], now: datetime) -> list[ParsedReceipt]:
    if not is_opt_out(str(row["text"])):
        return []
    number = _number(str(row.get("mobile", "")), str(row.get("nationcode") or "86"))
    at = row.get("time")
    moment = (
        min(now, datetime.fromtimestamp(at, now.tzinfo))
        if isinstance(at, int)
        else china_moment(str(at), now=now)
    )
    return [
        ParsedReceipt(
            kind=ReceiptKind.OPTED_OUT,
            occurred_at=moment,
            detail="answered",
            address=number,
            notice_id=f"{row.get('sign', '')}:{row.get('extend', '')}:{at}",
        )
    ]


def _number(digits: str, country: str) -> str:
    if digits.startswith("+") or not digits:
        return digits
    return f"+{digits}" if digits.startswith("86") and len(digits) == 13 else f"+{country}{digits}"
