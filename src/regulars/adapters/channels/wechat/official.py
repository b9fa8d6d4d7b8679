"""Messages of official accounts and mini programs: template and subscribe messages.

Source: developers.weixin.qq.com, template/send (client_msg_id: the same openid and id are sent
once within 10 minutes), subscribe/bizsend, subscribe/send. Template messages are for services
only: marketing by them costs the account its right, so it is refused here whatever a campaign
says. Recovery: RESEND for template messages, 600 seconds; HOLD_UNKNOWN for the others, which know
no keys.
"""

from typing import Any

from regulars.adapters.channels.plumbing.answers import accepted, refused
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.adapters.channels.wechat.client import WeChatClient
from regulars.errors import InputError
from regulars.ports.channels import Answer, Contact, Message, Recovery

_LOCALES = {"zh": "zh_CN", "zh-CN": "zh_CN", "zh-HK": "zh_HK", "zh-TW": "zh_TW"}


class _OpenidChannel(WindowChannel):
    """Sends a template to an openid.

    Attributes:
        path: Where it is called.
        web_name: What an address of the web is called there; "" where none can be opened.
        has_own_pages: Whether links without a host are pages of the account itself.
        is_service_only: Whether marketing is forbidden on it.

    Args:
        setup: `account` is the app id, `secret_env` holds its secret.

    Raises:
        InputError: The app id is missing.
    """

    path = ""
    web_name = "url"
    has_own_pages = False
    is_service_only = False

    def __init__(self, setup: Setup) -> None:
        """Call nobody yet."""
        super().__init__(setup, per_second=100.0)
        if not setup.settings.account:
            raise InputError(
                f"channel {setup.name} ({setup.settings.via}): account is missing; give the app "
                "id (AppID) of the account"
            )
        self.client = WeChatClient(setup, is_wecom=False, is_keyed=self.is_keyed)

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Send one message.

        Returns:
            ACCEPTED with the msgid.
        """
        template = message.template or self.setup.settings.template
        if not template:
            return refused("no_template")
        if self.is_service_only and contact.offer_id:
            return refused("marketing_forbidden")
        said = await self.client.post(self.path, self.asked(contact, message, template))
        if isinstance(said, Answer):
            return said
        return accepted(str(said.get("msgid", "")))

    def asked(self, contact: Contact, message: Message, template: str) -> dict[str, Any]:
        """Write the call: receiver, template and values, and where a tap leads."""
        del contact
        return {
            "touser": message.address,
            "template_id": template,
            "data": {name: {"value": value} for name, value in message.parameters.items()},
        } | self.place(message.link)

    def place(self, link: str) -> dict[str, Any]:
        """Write where a tap leads: an address of the web, or a page of a mini program."""
        if "://" in link:
            return {self.web_name: link} if self.web_name else {}
        mini = self.setup.settings.application
        if link and self.has_own_pages:
            return {"page": link}
        return {"miniprogram": {"appid": mini, "pagepath": link}} if link and mini else {}


class TemplateMessage(_OpenidChannel):
    """Template messages of an official account (模板消息): services only.

    Args:
        setup: See above; message_class must be "transactional".

    Raises:
        InputError: The settings say that it carries marketing.
    """

    recovery = Recovery.RESEND
    key_seconds = 600
    path = "/cgi-bin/message/template/send"
    is_service_only = True

    def __init__(self, setup: Setup) -> None:
        """Refuse a channel that says it carries marketing."""
        super().__init__(setup)
        if setup.settings.message_class != "transactional":
            raise InputError(
                f"channel {setup.name} (wechat_template): message_class is "
                f'{setup.settings.message_class!r}, must be "transactional"; template messages '
                "are for services, use wechat_subscribe or wecom for marketing"
            )

    def asked(self, contact: Contact, message: Message, template: str) -> dict[str, Any]:
        """Write the call, with the key.

        Returns:
            The call.
        """
        asked = super().asked(contact, message, template)
        return asked | ({"client_msg_id": contact.key[:32]} if self.is_keyed else {})


class SubscribeMessage(_OpenidChannel):
    """Subscribe messages of an official account (订阅通知): one per grant of the customer."""

    path = "/cgi-bin/message/subscribe/bizsend"
    web_name = "page"


class MiniProgramMessage(_OpenidChannel):
    """Subscribe messages of a mini program (小程序订阅消息): one per grant of the customer."""

    path = "/cgi-bin/message/subscribe/send"
    web_name = ""
    has_own_pages = True

    def asked(self, contact: Contact, message: Message, template: str) -> dict[str, Any]:
        """Write the call, with its language.

        Returns:
            The call.
        """
        locale = _LOCALES.get(message.locale, "en_US" if message.locale[:2] == "en" else "zh_CN")
        return super().asked(contact, message, template) | {"lang": locale}
