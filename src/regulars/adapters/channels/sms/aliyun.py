"""SMS by Aliyun (阿里云短信服务, Dysms 2017-05-25).

Source: help.aliyun.com, SendSms, QuerySmsTemplate, QuerySendDetails, error codes; signature
version 3 (ACS3-HMAC-SHA256). Recovery: RECONCILE - SendSms knows no keys, but OutId carries ours
and QuerySendDetails gives it back by number and day; numbers are remembered in memory, or told
again by the ledger. Aliyun shows a message with delay, so that "not found" is never taken for
"not sent": such a contact stays unknown.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from regulars.adapters.channels.plumbing.answers import accepted, refused, unknown
from regulars.adapters.channels.plumbing.calling import Reply, Request
from regulars.adapters.channels.plumbing.loop import wait_for
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.sms.channel import Meaning, SmsChannel, meaning, reason_of
from regulars.adapters.channels.sms.templates import UNKNOWN, Template
from regulars.ports.channels import Answer, Contact, Message, Outcome

BASE = "https://dysmsapi.aliyuncs.com"
_VERSION = "2017-05-25"
_CHINA = ZoneInfo("Asia/Shanghai")
_THROTTLED, _REFUSED = Outcome.THROTTLED, Outcome.REFUSED
_MEANINGS = {
    "isv.BUSINESS_LIMIT_CONTROL": Meaning(_THROTTLED, "provider_limit", 60),
    "isv.DAY_LIMIT_CONTROL": Meaning(_THROTTLED, "provider_limit", 3600),
    "isv.MONTH_LIMIT_CONTROL": Meaning(_THROTTLED, "provider_limit", 86_400),
    "Throttling": Meaning(_THROTTLED, "rate_limited", 5),
    "ServiceUnavailable": Meaning(_THROTTLED, "provider_down", 30),
    "isv.MOBILE_NUMBER_ILLEGAL": Meaning(_REFUSED, "bad_number"),
    "isv.MOBILE_COUNT_OVER_LIMIT": Meaning(_REFUSED, "bad_number"),
    "isv.BLACK_KEY_CONTROL_LIMIT": Meaning(_REFUSED, "forbidden_words"),
    "isv.TEMPLATE_MISSING_PARAMETERS": Meaning(_REFUSED, "bad_parameters"),
    "isv.TEMPLATE_PARAMS_ILLEGAL": Meaning(_REFUSED, "bad_parameters"),
    "isv.INVALID_PARAMETERS": Meaning(_REFUSED, "bad_parameters"),
    "isv.INVALID_JSON_PARAM": Meaning(_REFUSED, "bad_parameters"),
    "isv.PARAM_LENGTH_LIMIT": Meaning(_REFUSED, "bad_parameters"),
    "isv.PARAM_NOT_SUPPORT_URL": Meaning(_REFUSED, "bad_parameters"),
    "isv.SMS_TEMPLATE_ILLEGAL": Meaning(_THROTTLED, "template_not_approved"),
    "isv.SMS_SIGN": Meaning(_THROTTLED, "bad_sender"),
    "isv.AMOUNT_NOT_ENOUGH": Meaning(_THROTTLED, "no_credit"),
    "isv.OUT_OF_SERVICE": Meaning(_THROTTLED, "no_credit"),
    "isv.ACCOUNT": Meaning(_THROTTLED, "not_permitted"),
    "isv.PRODUCT_UN_SUBSCRIPT": Meaning(_THROTTLED, "not_permitted"),
    "isp.RAM_PERMISSION_DENY": Meaning(_THROTTLED, "not_permitted"),
    "isp.": Meaning(Outcome.UNKNOWN, "provider_error"),
    "SignatureDoesNotMatch": Meaning(_THROTTLED, "bad_credentials"),
    "IncompleteSignature": Meaning(_THROTTLED, "bad_credentials"),
    "InvalidAccessKeyId": Meaning(_THROTTLED, "bad_credentials"),
    "InvalidTimeStamp": Meaning(_THROTTLED, "bad_credentials"),
    "Forbidden": Meaning(_THROTTLED, "not_permitted"),
}
# The flow control says in words which window was full.
_WINDOWS = (("分钟", 60.0), ("小时", 3600.0), ("天", 86_400.0))
_SENT = {1, 3}


def signed(
    action: str,
    query: Mapping[str, str],
    *,
    host: str,
    account: str,
    secret: str,
    at: datetime,
    nonce: str,
    version: str = _VERSION,
) -> dict[str, str]:
    """Sign a call.

    Args:
        action: Name of the operation.
        query: Its parameters; the body is empty.
        host: Host the call goes to.
        account: Id of the access key.
        secret: Its secret.
        at: The moment; Aliyun takes 15 minutes of difference.
        nonce: Something never used before.
        version: Version of the service.

    Returns:
        The headers.

    Source: help.aliyun.com, "V3 request syntax and signature".
    """
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": empty,
        "x-acs-date": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    asked = "&".join(f"{_code(name)}={_code(query[name])}" for name in sorted(query))
    canonical = f"POST\n/\n{asked}\n{lines}\n{names}\n{empty}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    made = hmac.digest(secret.encode(), to_sign.encode(), hashlib.sha256).hex()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={account},SignedHeaders={names},Signature={made}"
    )
    return headers


class AliyunSms(SmsChannel):
    """Sends SMS by Aliyun.

    Args:
        setup: `account` is the AccessKey id, `secret_env` holds its secret, `sender` is the
            signature (短信签名), `template` the TemplateCode for messages that name none.
    """

    def __init__(self, setup: Setup) -> None:
        """Call nobody yet."""
        super().__init__(setup, base=BASE, per_second=100.0)

    async def hand_over(self, contact: Contact, message: Message, template: str) -> Answer:
        """Send one SMS.

        Returns:
            ACCEPTED with the BizId, by which receipts refer to it.
        """
        query = {
            "PhoneNumbers": _number(message.address),
            "SignName": self.setup.settings.sender,
            "TemplateCode": template,
            "OutId": contact.key,
        }
        if message.parameters:
            query["TemplateParam"] = json.dumps(dict(message.parameters), ensure_ascii=False)
        reply = await self._ask("SendSms", query)
        if not isinstance(reply, Reply):
            return reply
        code = str(reply.said.get("Code", ""))
        if code == "OK":
            return accepted(str(reply.said.get("BizId", "")))
        if not code:
            return unknown("unreadable_answer")
        known = meaning(code, _MEANINGS)
        if known is None:
            return refused(reason_of(code))
        if code == "isv.BUSINESS_LIMIT_CONTROL":
            known = _window_of(str(reply.said.get("Message", "")), known)
        return known.answer()

    async def ask_template(self, name: str) -> Template:
        """Ask about one template (QuerySmsTemplate).

        Returns:
            What Aliyun says of it; UNKNOWN when it cannot be asked.
        """
        reply = await self._ask("QuerySmsTemplate", {"TemplateCode": name})
        if not isinstance(reply, Reply) or "TemplateStatus" not in reply.said:
            return UNKNOWN
        kind = reply.said.get("TemplateType")
        return Template(
            is_approved=reply.said["TemplateStatus"] == 1,
            content=str(reply.said.get("TemplateContent", "")),
            is_marketing=None if kind is None else kind in {2, 3},
        )

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Ask what became of contacts this process handed over.

        Returns:
            ACCEPTED or REFUSED by key where Aliyun shows it; others are left out.
        """
        return super().find(keys) | wait_for(self._find(keys))

    async def _find(self, keys: Sequence[str]) -> dict[str, Answer]:
        found: dict[str, Answer] = {}
        for key in keys:
            trace = self.memory.get(key)
            if trace is None:
                continue
            day = trace.at.astimezone(_CHINA)
            # A call just before midnight may be booked on the next day; what another process
            # handed over may have gone the day before it was asked about.
            near = (day, day + timedelta(minutes=5), day - timedelta(days=1))
            for date in dict.fromkeys(f"{moment:%Y%m%d}" for moment in near):
                answer = await self._detail(key, trace.address, date)
                if answer is not None:
                    found[key] = answer
                    break
        return found

    async def _detail(self, key: str, address: str, date: str) -> Answer | None:
        query = {
            "PhoneNumber": _number(address),
            "SendDate": date,
            "PageSize": "50",
            "CurrentPage": "1",
        }
        reply = await self._ask("QuerySendDetails", query)
        if not isinstance(reply, Reply):
            return None
        details = reply.said.get("SmsSendDetailDTOs", {}).get("SmsSendDetailDTO", [])
        for detail in details:
            if detail.get("OutId") == key:
                is_sent = detail.get("SendStatus") in _SENT
                return accepted() if is_sent else refused(reason_of(str(detail.get("ErrCode"))))
        return None

    async def _ask(self, action: str, query: Mapping[str, str]) -> Reply | Answer:
        headers = signed(
            action,
            query,
            host=urlsplit(self.base).netloc,
            account=self.setup.settings.account,
            secret=self.setup.secret,
            at=self.setup.clock(),
            nonce=secrets.token_hex(16),
        )
        return await self.call(Request("/", query=query, headers=headers, method="POST"))


def _window_of(said: str, known: Meaning) -> Meaning:
    for word, seconds in _WINDOWS:
        if word in said:
            return Meaning(known.outcome, known.reason, seconds)
    return known


def _number(address: str) -> str:
    return address.removeprefix("+").removeprefix("86") if address.startswith("+86") else address


def _code(text: str) -> str:
    return quote(text, safe="-_.~")
