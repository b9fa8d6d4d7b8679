"""Aliyun's SMS service, as far as SendSms, QuerySmsTemplate and QuerySendDetails go."""

import hashlib
import hmac
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from regulars.testing.provider_servers.serving import ProviderServer, Taken
from regulars.testing.provider_servers.troubles import Trouble


class AliyunServer(ProviderServer):
    """Checks signatures of version 3 and delivers every SendSms, knowing no keys.

    Attributes:
        templates: Status, type and content by code: (1, 2, "...") is approved for marketing.

    Args:
        planned: Troubles of SendSms, in order.
        account: Id of the access key.
        secret: Its secret.
        sign: The approved signature.
    """

    def __init__(self, *planned: Trouble, account: str, secret: str, sign: str) -> None:
        """Know one template."""
        super().__init__(*planned)
        self.templates = {"T_1": (1, 2, "${name},上新了,拒收请回复R")}
        self._account, self._secret, self._sign = account, secret, sign
        self._nonces: set[str] = set()

    def is_send(self, request: Request) -> bool:
        """Whether it is SendSms."""
        action = request.headers.get("x-acs-action", "")
        return action == "SendSms" and request.url.path not in self.not_sends

    async def answer(self, request: Request, trouble: Trouble) -> Response:
        """Answer one call.

        Returns:
            What Aliyun would say.
        """
        if trouble is Trouble.EXPIRED:
            return JSONResponse({"Code": "InvalidTimeStamp.Expired", "Message": "expired"}, 400)
        wrong = self._wrong(request)
        if wrong:
            return JSONResponse({"Code": wrong, "Message": "check the signature"}, 400)
        action, query = request.headers["x-acs-action"], dict(request.query_params)
        if action == "SendSms":
            return JSONResponse(self._send(query))
        if action == "QuerySmsTemplate":
            return JSONResponse(self._template(query["TemplateCode"]))
        if action == "QuerySendDetails":
            return JSONResponse(self._details(query))
        return JSONResponse({"Code": "InvalidAction.NotFound"}, 404)

    def _wrong(self, request: Request) -> str:
        head = request.headers
        fields = dict(
            part.split("=", 1)
            for part in head["authorization"].removeprefix("ACS3-HMAC-SHA256 ").split(",")
        )
        if fields["Credential"] != self._account:
            return "InvalidAccessKeyId.NotFound"
        if head["x-acs-signature-nonce"] in self._nonces:
            return "SignatureNonceUsed"
        self._nonces.add(head["x-acs-signature-nonce"])
        query = sorted(request.query_params.items())
        asked = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in query)
        names = fields["SignedHeaders"].split(";")
        lines = "".join(f"{name}:{head[name].strip()}\n" for name in names)
        whole = (
            f"POST\n{request.url.path}\n{asked}\n{lines}\n{fields['SignedHeaders']}\n"
            f"{head['x-acs-content-sha256']}"
        )
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(whole.encode()).hexdigest()
        made = hmac.new(self._secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        return "" if made == fields["Signature"] else "SignatureDoesNotMatch"

    def _send(self, query: dict[str, str]) -> dict[str, str]:
        number = query["PhoneNumbers"]
        if query["SignName"] != self._sign:
            return {"Code": "isv.SMS_SIGNATURE_ILLEGAL", "Message": "签名不合法"}
        if self.templates.get(query["TemplateCode"], (0,))[0] != 1:
            return {"Code": "isv.SMS_TEMPLATE_ILLEGAL", "Message": "模版不合法"}
        if number in self.refusals:
            return {"Code": self.refusals[number], "Message": "触发分钟级流控Permits:1"}
        self.taken.append(Taken(query.get("OutId", ""), number, dict(query)))
        return {"Code": "OK", "Message": "OK", "BizId": f"biz^{len(self.taken)}"}

    def _template(self, code: str) -> dict[str, object]:
        if code not in self.templates:
            return {"Code": "isv.SMS_TEMPLATE_ILLEGAL"}
        status, kind, content = self.templates[code]
        return {
            "Code": "OK",
            "TemplateCode": code,
            "TemplateStatus": status,
            "TemplateType": kind,
            "TemplateContent": content,
        }

    def _details(self, query: dict[str, str]) -> dict[str, object]:
        found = [
            {"OutId": taken.key, "SendStatus": 1, "PhoneNum": taken.address}
            for taken in self.taken
            if taken.address == query["PhoneNumber"]
        ]
        return {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": found}}
