"""What the domain check asks of DNS for one channel, by its settings."""

from collections.abc import Mapping

from regulars.adapters.channels.email.dkim import signer
from regulars.adapters.channels.email.domain_check import DomainQuestion
from regulars.settings import ChannelSettings


def question_of(settings: ChannelSettings, environment: Mapping[str, str]) -> DomainQuestion:
    """Make the question of a channel.

    Args:
        settings: What the settings say of it.
        environment: Variables; that of the DKIM key is read where it is set.

    Returns:
        The question.

    Example:
        >>> question_of(ChannelSettings(sender="news@shop.example"), {}).sender
        'shop.example'
    """
    domain = settings.sender.rpartition("@")[2]
    key = environment.get(settings.dkim_key_env, "") if settings.dkim_key_env else ""
    signing, selector = settings.dkim_domain or domain, settings.dkim_selector
    record = signer(key, domain=signing, selector=selector).record() if key and selector else ""
    return DomainQuestion(
        sender=domain,
        bounces=settings.bounce_domain,
        signing=signing,
        selector=selector,
        record=record,
    )
