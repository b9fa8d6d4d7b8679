"""App push by JPush (极光推送), REST v3.

Source: docs.jiguang.cn/jpush/server/push/rest_api_v3_push and its advanced page: the same cid
within a day gives the first result again and pushes nothing; its form is app key, hyphen, UUID.
Recovery: RESEND, a day - the UUID is made of the contact's key. (The page says that cids come
from /v3/push/cid; should an application be held to that, `key_seconds = 0` sends without cid, and
doubts are listed as unknown.)
"""

import base64
import json
import uuid
from typing import Any

from regulars.adapters.channels.plumbing.answers import MEND_SECONDS, accepted, refused, throttled
from regulars.adapters.channels.plumbing.calling import Caller, Reply, Request, ending
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.errors import InputError
from regulars.ports.channels import Answer, Contact, Message, Recovery

BASE = "https://api.jpush.cn"
DAY = 86_400
_KEYS = uuid.UUID("5e0f1c4e-2f2b-5b2f-9d0e-6a5d0c5f7b11")
_THROTTLED = {
    1000: ("provider_down", 30.0),
    1030: ("provider_down", 30.0),
    2002: ("rate_limited", 60.0),
    2003: ("not_permitted", MEND_SECONDS),
    2008: ("rate_limited", 3600.0),
    1004: ("bad_credentials", MEND_SECONDS),
    1008: ("bad_credentials", MEND_SECONDS),
    1009: ("not_permitted", MEND_SECONDS),
    1020: ("not_permitted", MEND_SECONDS),
}
_REFUSED = {
    1003: "bad_parameters",
    1005: "too_large",
    1011: "no_such_address",
    1012: "blocked",
}


class JPushChannel(WindowChannel):
    """Pushes to one device by its registration id.

    Args:
        setup: `account` is the app key, `secret_env` holds the master secret.

    Raises:
        InputError: The app key is missing.
    """

    recovery = Recovery.RESEND
    key_seconds = DAY

    def __init__(self, setup: Setup) -> None:
        """Call nobody yet."""
        super().__init__(setup, per_second=10.0)
        settings = setup.settings
        if not settings.account:
            raise InputError(f"channel {setup.name} (jpush): account is missing; give the AppKey")
        self._caller = Caller(
            setup.base(BASE), seconds=settings.timeout_seconds, connections=settings.connections
        )

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Push one message.

        Returns:
            ACCEPTED with the msg_id.
        """
        account = self.setup.settings.account
        login = base64.b64encode(f"{account}:{self.setup.secret}".encode()).decode()
        asked = said(message, contact)
        if self.is_keyed:
            asked["cid"] = f"{account}-{uuid.uuid5(_KEYS, contact.key)}"
        reply = await self._caller.call(
            Request(
                "/v3/push",
                headers={"authorization": f"Basic {login}", "content-type": "application/json"},
                body=json.dumps(asked, ensure_ascii=False).encode(),
            )
        )
        return reply if isinstance(reply, Answer) else self._meaning(reply)

    def _meaning(self, reply: Reply) -> Answer:
        if reply.status < 300 and "msg_id" in reply.said:
            return accepted(str(reply.said["msg_id"]))
        end = ending(reply, is_keyed=self.is_keyed, now=self.setup.clock())
        error = reply.said.get("error", {})
        code = int(error.get("code", 0)) if isinstance(error, dict) else 0
        if code in _THROTTLED and reply.status != 429:
            return throttled(*_THROTTLED[code])
        return end or refused(_REFUSED.get(code, f"code_{code}"))


def said(message: Message, contact: Contact) -> dict[str, Any]:
    """Write the message as JPush takes it.

    Returns:
        Audience of one device, and the notification for both systems.
    """
    extras = {"key": contact.key, "link": message.link} | dict(message.parameters)
    return {
        "platform": "all",
        "audience": {"registration_id": [message.address]},
        "notification": {
            "android": {"alert": message.text, "title": message.subject, "extras": extras},
            "ios": {
                "alert": {"title": message.subject, "body": message.text},
                "extras": extras,
            },
        },
        "options": {"time_to_live": DAY, "apns_production": True},
    }
