"""Answers every channel gives, in one wording."""

from regulars.ports.channels import Answer, Outcome

# Told to wait, but not for how long.
WAIT_SECONDS = 30.0
# A person has to mend something: asking every minute would only fill the provider's log.
MEND_SECONDS = 300.0


def accepted(provider_id: str = "") -> Answer:
    """Say that the provider has it.

    Returns:
        The answer, with the provider's name of the contact.
    """
    return Answer(Outcome.ACCEPTED, provider_id=provider_id)


def refused(reason: str) -> Answer:
    """Say that the provider has it not and never will.

    Returns:
        The answer, with its reason code.
    """
    return Answer(Outcome.REFUSED, reason)


def throttled(reason: str, seconds: float = WAIT_SECONDS) -> Answer:
    """Say that the provider has it not, and may be asked again.

    Returns:
        The answer, with the seconds to wait.
    """
    return Answer(Outcome.THROTTLED, reason, retry_seconds=max(0.0, seconds))


def unknown(reason: str) -> Answer:
    """Say that nobody knows whether the provider has it.

    Returns:
        The answer, with its reason code.
    """
    return Answer(Outcome.UNKNOWN, reason)


def is_configuration(answer: Answer) -> bool:
    """Whether an answer is about our settings rather than about the contact.

    Returns:
        True for credentials, senders and signatures the provider does not take.
    """
    return answer.reason in {"bad_credentials", "bad_sender", "no_credentials", "not_permitted"}
