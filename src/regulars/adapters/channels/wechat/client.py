"""Calls to WeChat's interfaces: a token in the query, an errcode in every answer.

Source: developer.work.weixin.qq.com (gettoken, global errcodes), developers.weixin.qq.com
(stable_token, errcodes). A stale token is fetched again once and the call made again: nothing was
taken with it.
"""

import json
from collections.abc import Mapping
from typing import Any

from regulars.adapters.channels.plumbing.answers import (
    MEND_SECONDS,
    refused,
    throttled,
    unknown,
)
from regulars.adapters.channels.plumbing.calling import Caller, Reply, Request, ending
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.tokens import Token, Tokens
from regulars.ports.channels import Answer

WECOM_BASE = "https://qyapi.weixin.qq.com"
WECHAT_BASE = "https://api.weixin.qq.com"
_STALE = {40001, 40014, 42001}
_BUSY = {-1: 5.0, 45009: 60.0, 45011: 60.0, 45033: 5.0, 45047: 3600.0, 50001: 600.0}
_NOT_PERMITTED = {48001, 48002, 48004, 50002, 60011, 301002, 41011, 60020}
_CREDENTIALS = {40013, 40125, 41002, 41004, 40243, 40164, 61024}
_REFUSED = {
    40003: "no_such_address", 40096: "no_such_address", 84061: "no_such_address",
    43004: "not_following", 43019: "blocked", 43101: "not_subscribed", 43108: "not_subscribed",
    40037: "bad_template", 43104: "bad_template", 47003: "bad_parameters", 40008: "bad_parameters",
    45015: "no_open_conversation", 87009: "forbidden_words", 87014: "forbidden_words",
    41050: "welcome_expired", 41051: "already_welcomed", 41048: "no_customers",
}  # fmt: skip


class WeChatClient:
    """Calls one account's interfaces.

    Args:
        setup: `account` is the corp id or app id, `secret_env` holds the secret.
        is_wecom: True for WeCom; False for official accounts and mini programs.
        is_keyed: True when a call may be made again under the same key.
    """

    def __init__(self, setup: Setup, *, is_wecom: bool, is_keyed: bool = False) -> None:
        """Call nobody yet."""
        self.setup = setup
        self._is_wecom, self._is_keyed = is_wecom, is_keyed
        settings = setup.settings
        self._caller = Caller(
            setup.base(WECOM_BASE if is_wecom else WECHAT_BASE),
            seconds=settings.timeout_seconds,
            connections=settings.connections,
        )
        self.tokens = Tokens(self._fetch, setup.clock)

    async def post(self, path: str, asked: Mapping[str, Any]) -> dict[str, Any] | Answer:
        """Make one call.

        Returns:
            What came back with errcode 0; or the answer an ending amounts to.
        """
        token = await self.tokens.get()
        for is_last in (False, True):
            if isinstance(token, Answer):
                return token
            said = await self._post(path, asked, token)
            code = 0 if isinstance(said, Answer) else said.get("errcode", 0)
            if isinstance(said, dict) and code == 0:
                return said
            if code not in _STALE or is_last:
                return said if isinstance(said, Answer) else meaning(code)
            token = await self.tokens.get(stale=token)
        return throttled("bad_credentials", MEND_SECONDS)

    async def post_without_token(
        self, path: str, query: Mapping[str, str], asked: Mapping[str, Any]
    ) -> dict[str, Any] | Answer:
        """Make one call whose query holds what opens it.

        Returns:
            What came back with errcode 0; or the answer an ending amounts to.
        """
        said = await self._call(Request(path, query=query, body=_bytes(asked)))
        if isinstance(said, Answer):
            return said
        code = said.get("errcode", 0)
        return meaning(code) if code else said

    async def _post(
        self, path: str, asked: Mapping[str, Any], token: str
    ) -> dict[str, Any] | Answer:
        return await self._call(Request(path, query={"access_token": token}, body=_bytes(asked)))

    async def _call(self, request: Request) -> dict[str, Any] | Answer:
        reply = await self._caller.call(request)
        if not isinstance(reply, Reply):
            return reply
        end = ending(reply, is_keyed=self._is_keyed, now=self.setup.clock())
        if end is not None:
            return end
        if reply.status >= 400:
            return throttled("not_permitted", MEND_SECONDS)
        return reply.said or unknown("unreadable_answer")

    async def _fetch(self) -> Token | Answer:
        account, secret = self.setup.settings.account, self.setup.secret
        if self._is_wecom:
            said = await self._fetched(
                Request("/cgi-bin/gettoken", {"corpid": account, "corpsecret": secret})
            )
        else:
            grant = {"grant_type": "client_credential", "appid": account, "secret": secret}
            said = await self._fetched(Request("/cgi-bin/stable_token", body=_bytes(grant)))
            if _is_unknown_there(said):
                said = await self._fetched(Request("/cgi-bin/token", grant))
        if isinstance(said, Answer):
            return said
        if not said.get("access_token"):
            found = meaning(said.get("errcode", 40001))
            is_passing = said.get("errcode") in _BUSY
            return found if is_passing else throttled("bad_credentials", MEND_SECONDS)
        return Token(str(said["access_token"]), float(said.get("expires_in", 7200)))

    async def _fetched(self, request: Request) -> dict[str, Any] | Answer:
        reply = await self._caller.call(request)
        if not isinstance(reply, Reply):
            # Nothing of a contact went out with it: there is no doubt.
            return throttled("unreachable")
        if reply.status in {404, 405}:
            return throttled("no_such_interface", MEND_SECONDS)
        return ending(reply, is_keyed=True, now=self.setup.clock()) or reply.said


def meaning(code: int) -> Answer:
    """Say what an errcode means.

    Returns:
        The answer; codes nobody told us of refuse, with their number as the reason.

    Example:
        >>> meaning(43101).reason, meaning(45009).retry_seconds, meaning(40013).reason
        ('not_subscribed', 60.0, 'bad_credentials')
    """
    if code in _BUSY:
        return throttled("rate_limited" if code > 0 else "provider_down", _BUSY[code])
    if code in _CREDENTIALS or code in _STALE:
        return throttled("bad_credentials", MEND_SECONDS)
    if code in _NOT_PERMITTED:
        return throttled("not_permitted", MEND_SECONDS)
    return refused(_REFUSED.get(code, f"errcode_{abs(code)}"))


def _is_unknown_there(said: dict[str, Any] | Answer) -> bool:
    """Whether an account, or a proxy before it, does not know the newer way to a token."""
    if isinstance(said, Answer):
        return said.reason == "no_such_interface"
    code = said.get("errcode", 0)
    return "access_token" not in said and code not in _CREDENTIALS | _STALE | set(_BUSY)


def _bytes(asked: Mapping[str, Any]) -> bytes:
    return json.dumps(asked, ensure_ascii=False).encode()
