"""App push by Firebase Cloud Messaging, HTTP v1.

Source: firebase.google.com/docs/reference/fcm/rest/v1 and its error codes;
developers.google.com/identity/protocols/oauth2/service-account. Recovery: HOLD_UNKNOWN - FCM
knows no keys. Every message carries its key as tag and collapse id, so that one that came twice
after all replaces itself on the phone.
"""

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from regulars.adapters.channels.plumbing.answers import (
    MEND_SECONDS,
    accepted,
    refused,
    throttled,
)
from regulars.adapters.channels.plumbing.calling import Caller, Reply, Request, ending, retry_after
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.tokens import Token, Tokens
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.adapters.channels.push.jwt import signed_claims
from regulars.errors import InputError
from regulars.ports.channels import Answer, Contact, Message

BASE, TOKEN_URL = "https://fcm.googleapis.com", "https://oauth2.googleapis.com/token"
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_REFUSED = {
    "UNREGISTERED": "app_removed",
    "SENDER_ID_MISMATCH": "wrong_app",
    "INVALID_ARGUMENT": "bad_address",
    "NOT_FOUND": "app_removed",
}


class FcmChannel(WindowChannel):
    """Pushes to one device by its registration token.

    Args:
        setup: `secret_env` holds the JSON of a service account, or the path of its file;
            `account` the project, when not the service account's own.

    Raises:
        InputError: The service account cannot be read.
    """

    def __init__(self, setup: Setup) -> None:
        """Read the service account; call nobody yet."""
        super().__init__(setup, per_second=500.0)
        settings = setup.settings
        self._account = _service_account(setup)
        self._key = _private_key(setup, self._account)
        self._project = settings.account or str(self._account.get("project_id", ""))
        told = str(self._account.get("token_uri", TOKEN_URL))
        # A server that plays Google plays its tokens too, unless the account names another.
        is_played = settings.base_url and told == TOKEN_URL
        self._token_url = f"{setup.base('')}/token" if is_played else told
        self._caller = Caller(
            setup.base(BASE), seconds=settings.timeout_seconds, connections=settings.connections
        )
        self.tokens = Tokens(self._fetch, setup.clock)

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Push one message.

        Returns:
            ACCEPTED with the name FCM gave it.
        """
        token = await self.tokens.get()
        for is_last in (False, True):
            if isinstance(token, Answer):
                return token
            reply = await self._push(contact, message, token)
            if not isinstance(reply, Reply):
                return reply
            if reply.status != 401 or is_last:
                return self._meaning(reply)
            token = await self.tokens.get(stale=token)
        return throttled("bad_credentials", MEND_SECONDS)

    async def _push(self, contact: Contact, message: Message, token: str) -> Reply | Answer:
        return await self._caller.call(
            Request(
                f"/v1/projects/{self._project}/messages:send",
                headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
                body=json.dumps({"message": said(contact, message)}).encode(),
            )
        )

    def _meaning(self, reply: Reply) -> Answer:
        if reply.status < 300:
            return accepted(str(reply.said.get("name", "")))
        now = self.setup.clock()
        end = ending(reply, is_keyed=False, now=now)
        if end is not None:
            return end
        error = reply.said.get("error", {})
        codes = [d.get("errorCode", "") for d in error.get("details", []) if isinstance(d, dict)]
        code = next((c for c in codes if c), str(error.get("status", "")))
        if code == "QUOTA_EXCEEDED":
            return throttled("rate_limited", retry_after(reply.headers, now=now))
        if code in {"PERMISSION_DENIED", "THIRD_PARTY_AUTH_ERROR"}:
            return throttled("not_permitted", MEND_SECONDS)
        return refused(_REFUSED.get(code, f"http_{reply.status}"))

    async def _fetch(self) -> Token | Answer:
        now = int(self.setup.clock().timestamp())
        claims = {
            "iss": self._account.get("client_email"),
            "scope": _SCOPE,
            "aud": self._token_url,
            "iat": now,
            "exp": now + 3600,
        }
        key_id = str(self._account.get("private_key_id", ""))
        asked = {"grant_type": _GRANT, "assertion": signed_claims(claims, self._key, key_id=key_id)}
        reply = await self._caller.call(
            Request(
                self._token_url,
                headers={"content-type": "application/json"},
                body=json.dumps(asked).encode(),
            )
        )
        if not isinstance(reply, Reply):
            return throttled("unreachable")
        if reply.status in {429, 500, 502, 503, 504}:
            return ending(reply, is_keyed=True, now=self.setup.clock()) or throttled("unreachable")
        if "access_token" not in reply.said:
            return throttled("bad_credentials", MEND_SECONDS)
        return Token(str(reply.said["access_token"]), float(reply.said.get("expires_in", 3600)))


def said(contact: Contact, message: Message) -> dict[str, Any]:
    """Write the message as FCM takes it.

    Returns:
        Notification and data, the key as tag and collapse id.
    """
    data = {"key": contact.key, "campaign": contact.campaign_id, "link": message.link}
    return {
        "token": message.address,
        "notification": {"title": message.subject, "body": message.text},
        "data": data | dict(message.parameters),
        "android": {"notification": {"tag": contact.key}},
        "apns": {"headers": {"apns-collapse-id": contact.key[:64]}},
    }


def _service_account(setup: Setup) -> dict[str, Any]:
    told = setup.secret
    try:
        text = told if told.lstrip().startswith("{") else Path(told).read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not {"client_email", "private_key"} <= set(found):
        raise InputError(
            f"channel {setup.name} (fcm): the variable {setup.settings.secret_env} holds no "
            "service account; put the JSON of one there, or the path of its file (Firebase "
            "console, Project settings, Service accounts, Generate new private key)"
        )
    return found


def _private_key(setup: Setup, account: dict[str, Any]) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(str(account["private_key"]).encode(), None)
    except ValueError:
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise InputError(
            f"channel {setup.name} (fcm): the private key of the service account cannot be read; "
            "make a new one in the Firebase console"
        )
    return key
