"""SMS by Tencent Cloud (腾讯云短信, 2021-01-11).

Source: cloud.tencent.com/document/product/382, SendSms, DescribeSmsTemplateList,
PullSmsSendStatusByPhoneNumber, error codes; signature TC3-HMAC-SHA256. Recovery: RECONCILE -
SendSms knows no keys; SessionContext carries ours, and the pull of states gives it back by number
once the operator has reported. Numbers are remembered in memory, or told again by the ledger; what
is not shown stays unknown.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from regulars.adapters.channels.plumbing.answers import accepted, refused, unknown
from regulars.adapters.channels.plumbing.calling import Reply, Request
from regulars.adapters.channels.plumbing.loop import wait_for
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.sms.channel import Meaning, SmsChannel, meaning, reason_of
from regulars.adapters.channels.sms.templates import UNKNOWN, Template
from regulars.errors import InputError
from regulars.ports.channels import Answer, Contact, Message, Outcome

BASE = "https://sms.tencentcloudapi.com"
_VERSION, _REGION = "2021-01-11", "ap-guangzhou"
_JSON = "application/json; charset=utf-8"
_THROTTLED, _REFUSED = Outcome.THROTTLED, Outcome.REFUSED
_MEANINGS = {
    "LimitExceeded": Meaning(_THROTTLED, "provider_limit", 600),
    "LimitExceeded.DeliveryFrequencyLimit": Meaning(_THROTTLED, "provider_limit", 60),
    "LimitExceeded.PhoneNumberThirtySecondLimit": Meaning(_THROTTLED, "provider_limit", 30),
    "LimitExceeded.PhoneNumberOneHourLimit": Meaning(_THROTTLED, "provider_limit", 3600),
    "LimitExceeded.PhoneNumberDailyLimit": Meaning(_THROTTLED, "provider_limit", 86_400),
    "LimitExceeded.AppDailyLimit": Meaning(_THROTTLED, "provider_limit", 86_400),
    "LimitExceeded.PhoneNumberCountLimit": Meaning(_REFUSED, "bad_number"),
    "RequestLimitExceeded": Meaning(_THROTTLED, "rate_limited", 5),
    "FailedOperation.MarketingSendTimeConstraint": Meaning(_THROTTLED, "quiet_hours", 3600),
    "FailedOperation.PhoneNumberInBlacklist": Meaning(_REFUSED, "opted_out"),
    "FailedOperation.SignatureIncorrectOrUnapproved": Meaning(_THROTTLED, "bad_sender"),
    "FailedOperation.TemplateIncorrectOrUnapproved": Meaning(_THROTTLED, "template_not_approved"),
    "FailedOperation.InsufficientBalanceInSmsPackage": Meaning(_THROTTLED, "no_credit"),
    "FailedOperation.ContainSensitiveWord": Meaning(_REFUSED, "forbidden_words"),
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": Meaning(_REFUSED, "bad_parameters"),
    "InvalidParameterValue.IncorrectPhoneNumber": Meaning(_REFUSED, "bad_number"),
    "InvalidParameterValue.TemplateParameter": Meaning(_REFUSED, "bad_parameters"),
    "InvalidParameterValue.SdkAppIdNotExist": Meaning(_THROTTLED, "not_permitted"),
    "UnsupportedOperation": Meaning(_REFUSED, "unsupported_number"),
    "UnauthorizedOperation": Meaning(_THROTTLED, "not_permitted"),
    "AuthFailure": Meaning(_THROTTLED, "bad_credentials"),
    "InternalError": Meaning(Outcome.UNKNOWN, "provider_error"),
}


def signed(
    action: str,
    body: bytes,
    *,
    host: str,
    account: str,
    secret: str,
    at: datetime,
    region: str = _REGION,
) -> dict[str, str]:
    """Sign a call.

    Args:
        action: Name of the operation.
        body: Its parameters as JSON.
        host: Host the call goes to.
        account: SecretId.
        secret: SecretKey.
        at: The moment; Tencent takes 5 minutes of difference.
        region: Region of the service.

    Returns:
        The headers.

    Source: cloud.tencent.com/document/api/382/52072, TC3-HMAC-SHA256.
    """
    date = at.astimezone(UTC).strftime("%Y-%m-%d")
    moment = str(int(at.timestamp()))
    lines = f"content-type:{_JSON}\nhost:{host}\n"
    canonical = f"POST\n/\n\n{lines}\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{date}/sms/tc3_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"TC3-HMAC-SHA256\n{moment}\n{scope}\n{hashed}"
    key = f"TC3{secret}".encode()
    for part in (date, "sms", "tc3_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    made = hmac.digest(key, to_sign.encode(), hashlib.sha256).hex()
    return {
        "host": host,
        "content-type": _JSON,
        "x-tc-action": action,
        "x-tc-version": _VERSION,
        "x-tc-timestamp": moment,
        "x-tc-region": region,
        "authorization": (
            f"TC3-HMAC-SHA256 Credential={account}/{scope}, "
            f"SignedHeaders=content-type;host, Signature={made}"
        ),
    }


class TencentSms(SmsChannel):
    """Sends SMS by Tencent Cloud.

    Args:
        setup: `account` is the SecretId, `secret_env` holds the SecretKey, `application` is the
            SmsSdkAppId, `sender` the signature, `template` the TemplateId.

    Raises:
        InputError: The SmsSdkAppId is missing.
    """

    def __init__(self, setup: Setup) -> None:
        """Call nobody yet."""
        super().__init__(setup, base=BASE, per_second=200.0)
        if not setup.settings.application:
            raise InputError(
                f"channel {setup.name} (tencent_sms): application is missing; give the "
                "SmsSdkAppId of the application, such as 1400006666"
            )

    async def hand_over(self, contact: Contact, message: Message, template: str) -> Answer:
        """Send one SMS.

        Returns:
            ACCEPTED with the SerialNo, by which receipts refer to it.
        """
        asked = {
            "PhoneNumberSet": [_number(message.address)],
            "SmsSdkAppId": self.setup.settings.application,
            "SignName": self.setup.settings.sender,
            "TemplateId": template,
            "TemplateParamSet": _in_order(message.parameters),
            "SessionContext": contact.key,
        }
        said = await self._ask("SendSms", asked)
        if isinstance(said, Answer):
            return said
        states = said.get("SendStatusSet") or [{}]
        code = str(states[0].get("Code", ""))
        if code == "Ok":
            return accepted(str(states[0].get("SerialNo", "")))
        if not code:
            return unknown("unreadable_answer")
        return _answer(code)

    async def ask_template(self, name: str) -> Template:
        """Ask about one template (DescribeSmsTemplateList).

        Returns:
            What Tencent says of it; UNKNOWN when it cannot be asked.
        """
        if not name.isdigit():
            return UNKNOWN
        asked = {"TemplateIdSet": [int(name)], "International": 0}
        said = await self._ask("DescribeSmsTemplateList", asked)
        if isinstance(said, Answer) or not said.get("DescribeTemplateStatusSet"):
            return UNKNOWN
        state = said["DescribeTemplateStatusSet"][0]
        return Template(
            is_approved=state.get("StatusCode") == 0, content=str(state.get("TemplateContent", ""))
        )

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Ask what became of contacts this process handed over.

        Returns:
            ACCEPTED by key where the operator reported; others are left out.
        """
        return super().find(keys) | wait_for(self._find(keys))

    async def _find(self, keys: Sequence[str]) -> dict[str, Answer]:
        found: dict[str, Answer] = {}
        for key in keys:
            trace = self.memory.get(key)
            if trace is None:
                continue
            asked = {
                "BeginTime": int((trace.at - timedelta(days=1)).timestamp()),
                "Offset": 0,
                "Limit": 100,
                "PhoneNumber": _number(trace.address),
                "SmsSdkAppId": self.setup.settings.application,
            }
            said = await self._ask("PullSmsSendStatusByPhoneNumber", asked)
            states = [] if isinstance(said, Answer) else said.get("PullSmsSendStatusSet") or []
            for state in states:
                if state.get("SessionContext") == key:
                    found[key] = accepted(str(state.get("SerialNo", "")))
        return found

    async def _ask(self, action: str, asked: Mapping[str, Any]) -> dict[str, Any] | Answer:
        body = json.dumps(asked, ensure_ascii=False).encode()
        headers = signed(
            action,
            body,
            host=urlsplit(self.base).netloc,
            account=self.setup.settings.account,
            secret=self.setup.secret,
            at=self.setup.clock(),
            region=self.setup.settings.region or _REGION,
        )
        reply = await self.call(Request("/", headers=headers, body=body))
        if not isinstance(reply, Reply):
            return reply
        said: dict[str, Any] = reply.said.get("Response") or {}
        if "Error" in said:
            return _answer(str(said["Error"].get("Code", "")))
        return said


def _answer(code: str) -> Answer:
    known = meaning(code, _MEANINGS)
    return refused(reason_of(code)) if known is None else known.answer()


def _in_order(parameters: Mapping[str, str]) -> list[str]:
    """Give values as the template counts them: by number where the names are numbers."""
    if all(name.isdigit() for name in parameters):
        return [parameters[name] for name in sorted(parameters, key=int)]
    return list(parameters.values())


def _number(address: str) -> str:
    return address if address.startswith("+") else f"+86{address}"
