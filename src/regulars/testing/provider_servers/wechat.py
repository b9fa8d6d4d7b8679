"""WeChat's servers: WeCom, official accounts and mini programs, as far as sending goes."""

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from regulars.testing.provider_servers.serving import ProviderServer, Taken
from regulars.testing.provider_servers.troubles import Trouble

_TOKENS = frozenset({"/cgi-bin/gettoken", "/cgi-bin/stable_token", "/cgi-bin/token"})
_SENDS = {
    "/cgi-bin/message/template/send",
    "/cgi-bin/message/subscribe/bizsend",
    "/cgi-bin/message/subscribe/send",
    "/cgi-bin/externalcontact/add_msg_template",
    "/cgi-bin/externalcontact/send_welcome_msg",
    "/cgi-bin/webhook/send",
}


class WeChatServer(ProviderServer):
    """One corp or account, whose tokens are checked.

    Attributes:
        tokens: Tokens given out; only the last one opens anything.
        confirmed: Customers staff have sent to, by msgid.
        tags: Names of tags by their ids.
        marks: Tags put on customers, as (customer, tag id).
        told: Other calls, as (name, body).
        seconds: Moment tasks are made at, in seconds since 1970.

    Args:
        planned: Troubles of the calls that send, in order.
        account: Corp id or app id.
        secret: Its secret; also the key of the group bot.
    """

    not_sends = _TOKENS

    def __init__(self, *planned: Trouble, account: str, secret: str) -> None:
        """Give out no token yet."""
        super().__init__(*planned)
        self.tokens: list[str] = []
        self.confirmed: dict[str, dict[str, int]] = {}
        self.tags: dict[str, str] = {}
        self.marks: set[tuple[str, str]] = set()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.seconds = 1772416800
        self._account, self._secret = account, secret
        self._tasks: list[dict[str, Any]] = []
        self._codes: set[str] = set()

    def is_send(self, request: Request) -> bool:
        """Whether it sends something."""
        return request.url.path in _SENDS - self.not_sends

    async def answer(self, request: Request, trouble: Trouble) -> Response:
        """Answer one call.

        Returns:
            What WeChat would say, always with status 200.
        """
        path, query = request.url.path, dict(request.query_params)
        body = await request.body()
        asked: dict[str, Any] = json.loads(body) if body else {}
        if path in _TOKENS:
            return JSONResponse(self._token(query | asked))
        if path == "/cgi-bin/webhook/send":
            return JSONResponse(self._bot(query, asked))
        if trouble is Trouble.EXPIRED:
            self.tokens.append("another")
        if query.get("access_token") != (self.tokens or [""])[-1]:
            return JSONResponse({"errcode": 42001, "errmsg": "access_token expired"})
        return JSONResponse(
            {"errcode": 0, "errmsg": "ok"} | self._do(path.rpartition("/")[2], asked, path)
        )

    def _token(self, asked: dict[str, Any]) -> dict[str, Any]:
        account = asked.get("corpid") or asked.get("appid")
        secret = asked.get("corpsecret") or asked.get("secret")
        if (account, secret) != (self._account, self._secret):
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        self.tokens.append(f"token-{len(self.tokens)}")
        return {"errcode": 0, "access_token": self.tokens[-1], "expires_in": 7200}

    def _bot(self, query: dict[str, str], asked: dict[str, Any]) -> dict[str, Any]:
        if query.get("key") != self._secret:
            return {"errcode": 40013, "errmsg": "invalid key"}
        content = asked["text"]["content"]
        bad = next((code for text, code in self.refusals.items() if text in content), None)
        if bad is not None:
            return {"errcode": int(bad)}
        self.taken.append(Taken("", content, asked))
        return {"errcode": 0}

    def _do(self, name: str, asked: dict[str, Any], path: str) -> dict[str, Any]:
        known: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "add_msg_template": self._task,
            "send_welcome_msg": self._welcome,
            "get_groupmsg_list_v2": self._list,
            "get_groupmsg_send_result": self._result,
            "get_corp_tag_list": self._tag_list,
            "add_corp_tag": self._add_tags,
            "mark_tag": self._mark,
            "remind_groupmsg_send": self._remind,
        }
        if "/message/" in path:
            return self._message(asked)
        if name in known:
            return known[name](asked)
        self.told.append((name, asked))
        return {}

    def _message(self, asked: dict[str, Any]) -> dict[str, Any]:
        openid, key = asked["touser"], asked.get("client_msg_id", "")
        if openid in self.refusals:
            return {"errcode": int(self.refusals[openid])}
        if not (key and (openid, key) in {(t.address, t.key) for t in self.taken}):
            self.taken.append(Taken(key, openid, asked))
        return {"msgid": 1000 + len(self.taken)}

    def _task(self, asked: dict[str, Any]) -> dict[str, Any]:
        failed = [name for name in asked["external_userid"] if name in self.refusals]
        names = [name for name in asked["external_userid"] if name not in failed]
        msgid = f"msg-{len(self._tasks)}"
        made = {"msgid": msgid, "create_time": str(self.seconds), "text": asked["text"]}
        self._tasks.append(made)
        self.confirmed[msgid] = dict.fromkeys(names, 0)
        self.taken.extend(Taken("", name, asked) for name in names)
        return {"msgid": msgid, "fail_list": failed}

    def _welcome(self, asked: dict[str, Any]) -> dict[str, Any]:
        code = asked["welcome_code"]
        if code in self.refusals:
            return {"errcode": int(self.refusals[code])}
        if code in self._codes:
            return {"errcode": 41051, "errmsg": "externaluser has started chatting"}
        self._codes.add(code)
        self.taken.append(Taken("", code, asked))
        return {"msgid": f"welcome-{len(self._codes)}"}

    def _list(self, asked: dict[str, Any]) -> dict[str, Any]:
        at = int(asked.get("cursor") or 0)
        between = range(asked["start_time"], asked["end_time"] + 1)
        tasks = [task for task in self._tasks if int(task["create_time"]) in between]
        more = {"next_cursor": str(at + 1)} if at + 1 < len(tasks) else {}
        return {"group_msg_list": tasks[at : at + 1]} | more

    def _result(self, asked: dict[str, Any]) -> dict[str, Any]:
        states = [
            {"external_userid": name, "status": state, "send_time": 1772416800}
            for name, state in self.confirmed[asked["msgid"]].items()
        ]
        return {"send_list": states}

    def _remind(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Take three reminders of a task, as WeCom does within a day."""
        self.told.append(("remind_groupmsg_send", asked))
        times = sum(one == ("remind_groupmsg_send", asked) for one in self.told)
        return {} if times <= 3 else {"errcode": 45009, "errmsg": "api freq out of limit"}

    def _tag_list(self, asked: dict[str, Any]) -> dict[str, Any]:
        del asked
        tags = [{"id": key, "name": name} for key, name in self.tags.items()]
        return {"tag_group": [{"group_name": "Regulars", "tag": tags}]}

    def _add_tags(self, asked: dict[str, Any]) -> dict[str, Any]:
        for tag in asked["tag"]:
            self.tags[f"tag-{len(self.tags)}"] = tag["name"]
        return {}

    def _mark(self, asked: dict[str, Any]) -> dict[str, Any]:
        customer = asked["external_userid"]
        self.marks |= {(customer, tag) for tag in asked["add_tag"]}
        self.marks -= {(customer, tag) for tag in asked["remove_tag"]}
        return {}
