"""WeCom group sending (企业群发): one task per text, which staff confirm before it goes out.

Source: developer.work.weixin.qq.com, add_msg_template, get_groupmsg_list_v2,
get_groupmsg_send_result, remind_groupmsg_send, cancel_groupmsg_send. A contact counts as accepted
when the task is made; whether it reached the customer is told by `look`, after the staff
member pressed send. Recovery: RECONCILE - a task carries no key, but its text, its customers and
its moment can be listed; what is not shown, or was made before the contact was claimed, stays
unknown.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.adapters.channels.plumbing.answers import accepted, refused
from regulars.adapters.channels.plumbing.loop import wait_for
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.adapters.channels.wechat.client import WeChatClient
from regulars.errors import InputError
from regulars.ports.channels import Answer, Contact, Message, Recovery
from regulars.records.receipts import ParsedReceipt, ReceiptKind, StaffTask

_MOST_CUSTOMERS = 10_000
_PATH = "/cgi-bin/externalcontact/"
_STATES = {
    1: (ReceiptKind.DELIVERED, ""),
    2: (ReceiptKind.FAILED, "not_a_friend"),
    3: (ReceiptKind.FAILED, "quota_used_up"),
}
_MOST_REMEMBERED = 100_000
_MOST_LOOKED_AT = 200
# Clocks differ by less; a task made longer before a contact was claimed is another's.
_CLOCKS_DIFFER = timedelta(minutes=2)


@dataclass(frozen=True)
class Rows:
    """What the pages of one list held.

    Attributes:
        rows: The rows read.
        is_whole: False when a page was refused: there may be more.
    """

    rows: list[dict[str, Any]]
    is_whole: bool


@dataclass(frozen=True)
class Task:
    """What one task says, to whom it is said being apart.

    Attributes:
        text: Its text.
        title: Title of its link; "" without one.
        link: Address of its link.
    """

    text: str
    title: str
    link: str

    def asked(self, customers: Sequence[str], staff: str) -> dict[str, Any]:
        """Write the call that makes it."""
        asked: dict[str, Any] = {
            "chat_type": "single",
            "external_userid": list(customers),
            "text": {"content": self.text},
        }
        if staff:
            asked["sender"] = staff
        if self.link:
            link = {"title": self.title or self.link, "url": self.link}
            asked["attachments"] = [{"msgtype": "link", "link": link}]
        return asked


class WecomChannel(WindowChannel):
    """Makes group-sending tasks for customers by their external_userid.

    Args:
        setup: `account` is the corp id, `secret_env` holds the secret of 客户联系, `sender` is the
            staff member who is asked to send.

    Raises:
        InputError: The corp id is missing.
    """

    recovery = Recovery.RECONCILE

    def __init__(self, setup: Setup) -> None:
        """Call nobody yet."""
        super().__init__(setup)
        if not setup.settings.account:
            raise InputError(
                f"channel {setup.name} (wecom): account is missing; give the corp id (企业ID)"
            )
        self.client = WeChatClient(setup, is_wecom=True)
        self._made: dict[str, tuple[str, Task, datetime]] = {}
        self._told_of: set[str] = set()
        self._looked = ""

    async def send_all(self, contacts: Sequence[Contact]) -> dict[str, Answer]:
        """Make one task per text.

        Returns:
            One answer per contact; provider_id is msgid and customer, joined by a colon.
        """
        groups: dict[Task, dict[str, Contact]] = {}
        answers: dict[str, Answer] = {}
        for contact in contacts:
            message = contact.message
            if message is None or not message.address:
                answers[contact.key] = refused("no_address")
                continue
            group = groups.setdefault(Task(message.text, message.subject, message.link), {})
            group[contact.key] = contact
        made = await asyncio.gather(*(self._task(t, g) for t, g in _cut(groups)))
        for part in made:
            answers |= part
        return answers

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Make a task for one contact.

        Returns:
            Its answer.
        """
        task = Task(message.text, message.subject, message.link)
        return (await self._task(task, {contact.key: contact}))[contact.key]

    async def _task(self, task: Task, group: dict[str, Contact]) -> dict[str, Answer]:
        now = self.setup.clock()
        customers = {key: c.message.address for key, c in group.items() if c.message is not None}
        if len(self._made) > _MOST_REMEMBERED:
            self._made.clear()
        self._made.update((key, (address, task, now)) for key, address in customers.items())
        asked = task.asked(sorted(set(customers.values())), self.setup.settings.sender)
        said = await self.client.post(f"{_PATH}add_msg_template", asked)
        if isinstance(said, Answer):
            return dict.fromkeys(customers, said)
        failed, msgid = set(said.get("fail_list") or ()), str(said.get("msgid", ""))
        return {
            key: refused("not_a_customer") if address in failed else accepted(f"{msgid}:{address}")
            for key, address in customers.items()
        }

    def remember(self, contacts: Sequence[Contact]) -> None:
        """Learn what contacts another process handed over said, so that `find` can ask.

        Args:
            contacts: Contacts with their message, and the moment they were claimed at.
        """
        for contact in contacts:
            message = contact.message
            if message is not None and contact.key not in self._made:
                task = Task(message.text, message.subject, message.link)
                self._made[contact.key] = message.address, task, contact.at

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Ask what became of contacts this process handed over.

        Returns:
            ACCEPTED by key where a task with its text and its customer was made since it was
            claimed, and is no other contact's; nothing for others, which stay unknown.
        """
        return super().find(keys) | wait_for(self._find(keys))

    async def _find(self, keys: Sequence[str]) -> dict[str, Answer]:
        wanted = {key: self._made[key] for key in keys if key in self._made}
        if not wanted:
            return {}
        since = min(at for _, _, at in wanted.values()) - _CLOCKS_DIFFER
        others = {answer.provider_id for answer in self.learned.values()}
        found: dict[str, Answer] = {}
        for msgid, text, made_at in await self._tasks_since(since):
            keyed = {
                key: address
                for key, (address, task, at) in wanted.items()
                if task.text == text
                and made_at >= at - _CLOCKS_DIFFER
                and f"{msgid}:{address}" not in others
            }
            if not keyed:
                continue
            states = await self.confirmations_of(msgid)
            there = {state["external_userid"] for state in states.rows}
            found |= {k: accepted(f"{msgid}:{a}") for k, a in keyed.items() if a in there}
        return found

    async def _tasks_since(self, since: datetime) -> list[tuple[str, str, datetime]]:
        asked = {
            "chat_type": "single",
            "start_time": int(since.timestamp()),
            "end_time": int((self.setup.clock() + timedelta(minutes=5)).timestamp()),
            "limit": 100,
        }
        tasks = await self._pages("get_groupmsg_list_v2", asked, "group_msg_list")
        return [
            (
                str(task["msgid"]),
                str(task.get("text", {}).get("content")),
                # One that does not say when settles nothing.
                datetime.fromtimestamp(int(task.get("create_time") or 0), UTC),
            )
            for task in tasks.rows
        ]

    async def confirmations_of(self, msgid: str) -> Rows:
        """List what became of a task, customer by customer.

        Returns:
            Rows as WeCom gives them: external_userid, status, send_time; not whole when a page
            was refused.
        """
        asked = {"msgid": msgid, "userid": self.setup.settings.sender, "limit": 1000}
        return await self._pages("get_groupmsg_send_result", asked, "send_list")

    async def _pages(self, call: str, asked: dict[str, Any], name: str) -> Rows:
        cursor, rows = "", list[dict[str, Any]]()
        while True:
            said = await self.client.post(_PATH + call, asked | {"cursor": cursor})
            if isinstance(said, Answer):
                return Rows(rows, is_whole=False)
            rows += said.get(name) or ()
            cursor = str(said.get("next_cursor", ""))
            if not cursor:
                return Rows(rows, is_whole=True)

    def confirmations(self, msgid: str) -> list[ParsedReceipt]:
        """Tell what staff have confirmed of a task so far.

        Returns:
            One receipt per customer whose state is final.
        """
        return list(_receipts(msgid, wait_for(self.confirmations_of(msgid)).rows))

    def look(self, since: datetime, /) -> Iterator[StaffTask]:
        """Ask what staff did with the tasks made since a moment, one task after the other.

        A task `leave` was called with is asked about no more; of very many the others come next
        time, and so do those behind one whose call failed.

        Args:
            since: The moment, aware.

        Yields:
            One record per task asked about, before the next is asked about.
        """
        tasks = [msgid for msgid, _, _ in wait_for(self._tasks_since(since))]
        start = tasks.index(self._looked) + 1 if self._looked in tasks else 0
        turned = tasks[start:] + tasks[:start]
        left = [msgid for msgid in turned if msgid not in self._told_of]
        for msgid in left[:_MOST_LOOKED_AT]:
            self._looked = msgid
            yield self._look_at(msgid)

    def _look_at(self, msgid: str) -> StaffTask:
        states = wait_for(self.confirmations_of(msgid))
        waiting = tuple(
            f"{msgid}:{state['external_userid']}"
            for state in states.rows
            if int(state.get("status", 0)) not in _STATES
        )
        is_over = states.is_whole and bool(states.rows) and not waiting
        return StaffTask(msgid, tuple(_receipts(msgid, states.rows)), waiting, is_over)

    def leave(self, msgid: str, /) -> None:
        """Ask about a task no more, as all it says is kept; a new process asks once again.

        Args:
            msgid: The task.
        """
        if len(self._told_of) > _MOST_REMEMBERED:
            self._told_of.clear()
        self._told_of.add(msgid)

    def remind(self, msgid: str) -> bool:
        """Remind staff who have not sent yet; WeCom allows three times in 24 hours.

        Returns:
            Whether it was taken.
        """
        return self._told("remind_groupmsg_send", msgid)

    def cancel(self, msgid: str) -> bool:
        """Take back what staff have not sent yet.

        Returns:
            Whether it was taken.
        """
        return self._told("cancel_groupmsg_send", msgid)

    def _told(self, call: str, msgid: str) -> bool:
        said = wait_for(self.client.post(_PATH + call, {"msgid": msgid}))
        return not isinstance(said, Answer)


def _cut(groups: dict[Task, dict[str, Contact]]) -> Iterator[tuple[Task, dict[str, Contact]]]:
    for task, group in groups.items():
        rows = list(group.items())
        for at in range(0, len(rows), _MOST_CUSTOMERS):
            yield task, dict(rows[at : at + _MOST_CUSTOMERS])


def _receipts(msgid: str, states: Sequence[dict[str, Any]]) -> Iterator[ParsedReceipt]:
    for state in states:
        kind = _STATES.get(int(state.get("status", 0)))
        if kind is not None:
            name = f"{msgid}:{state['external_userid']}"
            yield ParsedReceipt(
                kind=kind[0],
                occurred_at=datetime.fromtimestamp(int(state.get("send_time") or 0), UTC),
                provider_id=name,
                detail=kind[1],
                notice_id=f"{name}:{state['status']}",
            )
