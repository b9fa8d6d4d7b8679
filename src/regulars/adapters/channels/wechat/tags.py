"""WeCom's tags of customers (企业标签), so that staff see what we know.

Source: developer.work.weixin.qq.com, get_corp_tag_list, add_corp_tag, mark_tag; 3,000 tags an
enterprise at most.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from regulars.adapters.channels.plumbing.loop import wait_for
from regulars.adapters.channels.wechat.client import WeChatClient
from regulars.errors import InputError, Permanent, Transient
from regulars.ports.channels import Answer, Outcome

MOST_TAGS = 3000
_PATH = "/cgi-bin/externalcontact/"


class WecomTags:
    """The tags of one enterprise.

    Args:
        client: Calls WeCom's interfaces.
    """

    def __init__(self, client: WeChatClient) -> None:
        """Call nobody yet."""
        self._client = client

    def ids(self) -> dict[tuple[str, str], str]:
        """List the tags there are.

        Returns:
            Id by group and name.
        """
        said = self._asked("get_corp_tag_list", {})
        return {
            (group["group_name"], tag["name"]): tag["id"]
            for group in said.get("tag_group") or ()
            for tag in group.get("tag") or ()
        }

    def make(self, group: str, names: Sequence[str]) -> dict[str, str]:
        """Make tags that are not there yet.

        Returns:
            Id by name, of all the names.

        Raises:
            InputError: There would be more than WeCom allows.
        """
        known = self.ids()
        missing = [name for name in names if (group, name) not in known]
        if len(known) + len(missing) > MOST_TAGS:
            raise InputError(
                f"{len(known) + len(missing)} tags, WeCom allows {MOST_TAGS}; remove some that "
                "nobody uses"
            )
        if missing:
            tags = [{"name": name} for name in missing]
            self._asked("add_corp_tag", {"group_name": group, "tag": tags})
            known = self.ids()
        return {name: known[group, name] for name in names}

    def mark(
        self, customer: str, *, staff: str, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> None:
        """Put tags on a customer and take tags off; again changes nothing.

        Args:
            customer: external_userid.
            staff: Member who knows the customer.
            add: Ids of tags to put on.
            remove: Ids of tags to take off.
        """
        asked = {
            "userid": staff,
            "external_userid": customer,
            "add_tag": list(add),
            "remove_tag": list(remove),
        }
        self._asked("mark_tag", asked)

    def _asked(self, call: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        said = wait_for(self._client.post(_PATH + call, asked))
        if not isinstance(said, Answer):
            return said
        reason = said.reason.replace("_", " ")
        if said.outcome is Outcome.REFUSED:
            raise Permanent(f"WeCom refused {call}: {reason}; check the ids it was given")
        raise Transient(f"WeCom did not take {call}: {reason}; try again in a while")
