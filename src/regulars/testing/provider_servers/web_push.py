"""A push service with browsers: claims are checked, and each browser reads what it was sent."""

import base64
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from regulars.testing.provider_servers.serving import ProviderServer, Taken
from regulars.testing.provider_servers.troubles import Trouble


class WebPushServer(ProviderServer):
    """Checks VAPID against the key the page subscribed with, and decrypts as a browser does.

    Attributes:
        public_key: Public key of the sender, in base64url, which subscriptions are bound to.

    Args:
        planned: Troubles of the pushes, in order.
    """

    def __init__(self, *planned: Trouble) -> None:
        """Have no browsers yet."""
        super().__init__(*planned)
        self.public_key = ""
        self._browsers: dict[str, tuple[ec.EllipticCurvePrivateKey, str]] = {}

    def subscribe(self, name: str) -> str:
        """Give the subscription of a browser, the same every time."""
        auth = name.encode()[-16:].rjust(16, b"-")
        if name not in self._browsers:
            key = ec.generate_private_key(ec.SECP256R1())
            subscription = {
                "endpoint": f"{self.url}/push/{name}",
                "keys": {"p256dh": _b64(_point(key)), "auth": _b64(auth)},
            }
            self._browsers[name] = key, json.dumps(subscription)
        return self._browsers[name][1]

    async def answer(self, request: Request, trouble: Trouble) -> Response:
        """Take one push.

        Returns:
            201 with the address of the message; 403 for a sender it does not know.
        """
        del trouble
        name = request.url.path.rpartition("/")[2]
        if not self._knows(request.headers["authorization"]):
            return JSONResponse({"error": "VAPID"}, 403)
        if name in self.refusals or name not in self._browsers:
            return JSONResponse({"error": "gone"}, 410)
        key, subscription = self._browsers[name]
        said = json.loads(_opened(await request.body(), key, name))
        self.taken.append(Taken(said["tag"], subscription, said))
        where = f"{self.url}/message/{len(self.taken)}"
        return Response(status_code=201, headers={"Location": where})

    def _knows(self, authorization: str) -> bool:
        given = dict(
            part.strip().split("=", 1) for part in authorization.removeprefix("vapid ").split(",")
        )
        signed, _, made = given["t"].rpartition(".")
        raw = _unb64(made)
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _unb64(given["k"]))
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        try:
            point.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        claims = json.loads(_unb64(signed.partition(".")[2]))
        return claims["aud"] == self.url and given["k"] == self.public_key


def _opened(body: bytes, key: ec.EllipticCurvePrivateKey, name: str) -> bytes:
    """Decrypt as RFC 8291, 3 tells a browser to."""
    salt, length = body[:16], body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    auth = name.encode()[-16:].rjust(16, b"-")
    shared = key.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    )
    info = b"WebPush: info\0" + _point(key) + sender
    secret = HKDF(hashes.SHA256(), 32, auth, info).derive(shared)
    cek = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
    return AESGCM(cek).decrypt(nonce, sealed, None).rstrip(b"\0")[:-1]


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
