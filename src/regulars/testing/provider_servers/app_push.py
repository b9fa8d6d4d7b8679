"""FCM and JPush, as far as pushing to one device goes."""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from regulars.testing.provider_servers.serving import ProviderServer, Taken
from regulars.testing.provider_servers.troubles import Trouble


class FcmServer(ProviderServer):
    """Checks the service account's signature, gives tokens, and knows no keys.

    Attributes:
        tokens: Tokens given out; only the last one opens anything.

    Args:
        planned: Troubles of the pushes, in order.
    """

    not_sends = frozenset({"/token"})

    def __init__(self, *planned: Trouble) -> None:
        """Make a service account."""
        super().__init__(*planned)
        self.tokens: list[str] = []
        self._key = rsa.generate_private_key(65537, 2048)

    def service_account(self) -> str:
        """Give the account as the console hands it out."""
        key = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return json.dumps({
            "project_id": "shop",
            "client_email": "push@shop.example",
            "private_key_id": "k1",
            "private_key": key.decode(),
        })

    async def answer(self, request: Request, trouble: Trouble) -> Response:
        """Answer one call.

        Returns:
            What Google would say.
        """
        asked = json.loads(await request.body())
        if request.url.path == "/token":
            return self._token(asked["assertion"])
        if trouble is Trouble.EXPIRED:
            self.tokens.append("another")
        if request.headers["authorization"] != f"Bearer {(self.tokens or [''])[-1]}":
            return _error(401, "UNAUTHENTICATED")
        message = asked["message"]
        if message["token"] in self.refusals:
            return _error(404, self.refusals[message["token"]])
        self.taken.append(Taken(message["data"]["key"], message["token"], message))
        return JSONResponse({"name": f"projects/shop/messages/{len(self.taken)}"})

    def _token(self, assertion: str) -> Response:
        signed, _, made = assertion.rpartition(".")
        try:
            self._key.public_key().verify(
                _unb64(made), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = json.loads(_unb64(signed.partition(".")[2]))
        if claims["aud"] != f"{self.url}/token" or claims["exp"] - claims["iat"] > 3600:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.tokens.append(f"ya29.{len(self.tokens)}")
        return JSONResponse({"access_token": self.tokens[-1], "expires_in": 3599})


class JPushServer(ProviderServer):
    """Checks the login, and pushes a cid once.

    Args:
        planned: Troubles of the pushes, in order.
        account: App key.
        secret: Master secret.
    """

    def __init__(self, *planned: Trouble, account: str, secret: str) -> None:
        """Know the login."""
        super().__init__(*planned)
        self._account = account
        login = base64.b64encode(f"{account}:{secret}".encode()).decode()
        self._login = f"Basic {login}"

    async def answer(self, request: Request, trouble: Trouble) -> Response:
        """Answer one push.

        Returns:
            What JPush would say.
        """
        del trouble
        if request.headers["authorization"] != self._login:
            return JSONResponse({"error": {"code": 1004, "message": "auth failed"}}, 401)
        asked: dict[str, Any] = json.loads(await request.body())
        cid, device = asked.get("cid", ""), asked["audience"]["registration_id"][0]
        if cid and not cid.startswith(f"{self._account}-"):
            return JSONResponse({"error": {"code": 1003, "message": "cid"}}, 400)
        if device in self.refusals:
            return JSONResponse({"error": {"code": int(self.refusals[device])}}, 400)
        if not (cid and cid in self.keys()):
            self.taken.append(Taken(cid, device, asked))
        return JSONResponse({"sendno": "0", "msg_id": str(len(self.taken))})


def _error(status: int, code: str) -> JSONResponse:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]
    return JSONResponse({"error": {"code": status, "status": code, "details": details}}, status)


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
