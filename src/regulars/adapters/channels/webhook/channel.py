"""The webhook channel: one signed POST per contact.

Source: Standard Webhooks 1.0.0. Recovery: RESEND - webhook-id is the contact's key, and the
receiver is told by that standard to act on an id once; a receiver that does not is set to
`key_seconds = 0`, and doubts are then listed as unknown.
"""

import json

from regulars.adapters.channels.plumbing.answers import accepted, refused, throttled
from regulars.adapters.channels.plumbing.calling import Caller, Reply, Request, ending
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.adapters.channels.webhook.signing import headers
from regulars.ports.channels import Answer, Contact, Message, Recovery

DAY = 86_400


class WebhookChannel(WindowChannel):
    """Posts contacts to `base_url`.

    Args:
        setup: `base_url` is where they go, `secret_env` holds the shared secret.
    """

    recovery = Recovery.RESEND
    key_seconds = DAY
    needs_address = False

    def __init__(self, setup: Setup) -> None:
        """Call nobody yet."""
        super().__init__(setup)
        settings = setup.settings
        self._caller = Caller(
            setup.base(""), seconds=settings.timeout_seconds, connections=settings.connections
        )

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Post one contact.

        Returns:
            ACCEPTED on 2xx; REFUSED on other 4xx, 410 with the reason "gone".
        """
        now, body = self.setup.clock(), _body(contact, message)
        signed = headers(self.setup.secret, identity=contact.key, at=now, body=body)
        reply = await self._caller.call(
            Request("", headers=signed | {"content-type": "application/json"}, body=body)
        )
        if not isinstance(reply, Reply):
            return reply
        end = ending(reply, is_keyed=self.is_keyed, now=now)
        if end is not None:
            return end
        if reply.status == 403:
            return throttled("not_permitted")
        if reply.status >= 400:
            return refused("gone" if reply.status == 410 else f"http_{reply.status}")
        return accepted(str(reply.said.get("id", "")))


def _body(contact: Contact, message: Message) -> bytes:
    said = {
        "type": "contact",
        "key": contact.key,
        "customer_id": contact.customer_id,
        "campaign": contact.campaign_id,
        "step": contact.step,
        "offer": contact.offer_id,
        "channel": contact.channel,
        "address": message.address,
        "subject": message.subject,
        "text": message.text,
        "link": message.link,
        "locale": message.locale,
        "template": message.template,
        "parameters": dict(message.parameters),
    }
    return json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
