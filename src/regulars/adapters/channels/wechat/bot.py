"""WeCom's group bot (群机器人): staff are told, 20 messages a minute at most.

Source: developer.work.weixin.qq.com, group robot. Recovery: HOLD_UNKNOWN - it knows no keys.
"""

from regulars.adapters.channels.plumbing.answers import accepted
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.adapters.channels.wechat.client import WeChatClient
from regulars.ports.channels import Answer, Contact, Message

PER_SECOND = 20 / 60


class GroupBot(WindowChannel):
    """Posts into a group chat.

    Args:
        setup: `secret_env` holds the key of the bot's address.
    """

    needs_address = False

    def __init__(self, setup: Setup) -> None:
        """Call nobody yet."""
        super().__init__(setup, per_second=PER_SECOND)
        self._client = WeChatClient(setup, is_wecom=True)

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Post one message.

        Returns:
            ACCEPTED without a name: the bot gives none.
        """
        del contact
        parts = (message.subject, message.text, message.link)
        content = "\n".join(part for part in parts if part)
        said = await self._client.post_without_token(
            "/cgi-bin/webhook/send",
            {"key": self.setup.secret},
            {"msgtype": "text", "text": {"content": content}},
        )
        return said if isinstance(said, Answer) else accepted()
