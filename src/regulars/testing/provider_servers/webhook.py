"""A receiver of webhooks that keeps the standard: signatures checked, an id acted on once."""

import base64
import hashlib
import hmac
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from regulars.testing.provider_servers.serving import ProviderServer, Taken
from regulars.testing.provider_servers.troubles import Trouble


class WebhookServer(ProviderServer):
    """Checks the signature of each post and takes an id once.

    Args:
        planned: Troubles, in order.
        secret: The shared secret, as words.
        is_keyed: False for a receiver that acts on every post.
    """

    def __init__(self, *planned: Trouble, secret: str, is_keyed: bool = True) -> None:
        """Know the secret."""
        super().__init__(*planned)
        self._secret, self._is_keyed = secret, is_keyed

    async def answer(self, request: Request, trouble: Trouble) -> Response:
        """Take one post.

        Returns:
            200; 401 when the signature is wrong; 410 for an address it refuses.
        """
        del trouble
        body, head = await request.body(), request.headers
        signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
        made = hmac.digest(self._secret.encode(), signed, hashlib.sha256)
        if head["webhook-signature"] != "v1," + base64.b64encode(made).decode():
            return JSONResponse({"error": "signature"}, 401)
        said = json.loads(body)
        if said["address"] in self.refusals:
            return JSONResponse({"error": self.refusals[said["address"]]}, 410)
        if not (self._is_keyed and head["webhook-id"] in self.keys()):
            self.taken.append(Taken(head["webhook-id"], said["address"], said))
        return JSONResponse({"id": f"got-{head['webhook-id']}"})
