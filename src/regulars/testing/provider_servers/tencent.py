"""Tencent Cloud's SMS service, as far as sending, templates and pulled states go."""

import hashlib
import hmac
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from regulars.testing.provider_servers.serving import ProviderServer, Taken
from regulars.testing.provider_servers.troubles import Trouble


class TencentServer(ProviderServer):
    """Checks TC3 signatures and delivers every SendSms, knowing no keys.

    Attributes:
        templates: Status and content by id: 0 is approved.

    Args:
        planned: Troubles of SendSms, in order.
        account: SecretId.
        secret: SecretKey.
    """

    def __init__(self, *planned: Trouble, account: str, secret: str) -> None:
        """Know one template."""
        super().__init__(*planned)
        self.templates = {"1234": (0, "{1},上新了,拒收请回复R")}
        self._account, self._secret = account, secret

    def is_send(self, request: Request) -> bool:
        """Whether it is SendSms."""
        action = request.headers.get("x-tc-action", "")
        return action == "SendSms" and request.url.path not in self.not_sends

    async def answer(self, request: Request, trouble: Trouble) -> Response:
        """Answer one call.

        Returns:
            What Tencent would say, always with status 200.
        """
        body = await request.body()
        if trouble is Trouble.EXPIRED:
            return _error("AuthFailure.SignatureExpire")
        if not self._is_signed(request, body):
            return _error("AuthFailure.SignatureFailure")
        asked = json.loads(body)
        action = request.headers["x-tc-action"]
        if action == "SendSms":
            return JSONResponse({"Response": {"SendStatusSet": [self._send(asked)]}})
        if action == "DescribeSmsTemplateList":
            name = str(asked["TemplateIdSet"][0])
            status, content = self.templates.get(name, (-1, ""))
            state = {"TemplateId": name, "StatusCode": status, "TemplateContent": content}
            return JSONResponse({"Response": {"DescribeTemplateStatusSet": [state]}})
        if action == "PullSmsSendStatusByPhoneNumber":
            states = [
                {"SessionContext": t.key, "SerialNo": "s", "ReportStatus": "SUCCESS"}
                for t in self.taken
                if t.address == asked["PhoneNumber"]
            ]
            return JSONResponse({"Response": {"PullSmsSendStatusSet": states}})
        return _error("InvalidAction")

    def _is_signed(self, request: Request, body: bytes) -> bool:
        head = request.headers
        given = dict(
            part.split("=", 1)
            for part in head["authorization"].removeprefix("TC3-HMAC-SHA256 ").split(", ")
        )
        account, date, service, end = given["Credential"].split("/")
        lines = "".join(f"{name}:{head[name]}\n" for name in given["SignedHeaders"].split(";"))
        whole = "\n".join((
            "POST",
            "/",
            "",
            lines,
            given["SignedHeaders"],
            hashlib.sha256(body).hexdigest(),
        ))
        to_sign = "\n".join((
            "TC3-HMAC-SHA256",
            head["x-tc-timestamp"],
            f"{date}/{service}/{end}",
            hashlib.sha256(whole.encode()).hexdigest(),
        ))
        key = ("TC3" + self._secret).encode()
        for part in (date, service, end):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        made = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        return account == self._account and made == given["Signature"]

    def _send(self, asked: dict[str, Any]) -> dict[str, Any]:
        number, key = asked["PhoneNumberSet"][0], asked["SessionContext"]
        state = {"PhoneNumber": number, "SessionContext": key}
        if self.templates.get(asked["TemplateId"], (1,))[0] != 0:
            return state | {"Code": "FailedOperation.TemplateIncorrectOrUnapproved"}
        if number in self.refusals:
            return state | {"Code": self.refusals[number]}
        self.taken.append(Taken(key, number, asked))
        return state | {"Code": "Ok", "SerialNo": f"serial-{len(self.taken)}"}


def _error(code: str) -> JSONResponse:
    return JSONResponse({"Response": {"Error": {"Code": code, "Message": code}}})
