"""The states a campaign goes through, and which may follow which."""

from enum import StrEnum

from regulars.errors import NotAllowed


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"


NEXT: dict[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({
        CampaignState.IN_REVIEW,
        CampaignState.RUNNING,
        CampaignState.STOPPED,
    }),
    CampaignState.IN_REVIEW: frozenset({
        CampaignState.DRAFT,
        CampaignState.APPROVED,
        CampaignState.STOPPED,
    }),
    CampaignState.APPROVED: frozenset({
        CampaignState.DRAFT,
        CampaignState.RUNNING,
        CampaignState.STOPPED,
    }),
    CampaignState.RUNNING: frozenset({
        CampaignState.PAUSED,
        CampaignState.FINISHED,
        CampaignState.STOPPED,
    }),
    CampaignState.PAUSED: frozenset({CampaignState.RUNNING, CampaignState.STOPPED}),
    CampaignState.FINISHED: frozenset(),
    CampaignState.STOPPED: frozenset(),
}
"""States that may follow each; none follows the last two."""

STARTED = frozenset({
    CampaignState.RUNNING,
    CampaignState.PAUSED,
    CampaignState.FINISHED,
    CampaignState.STOPPED,
})
"""States in which a campaign is not edited any more."""


def checked_step(campaign_id: str, before: CampaignState, after: CampaignState) -> None:
    """Refuse a step no campaign may take.

    Args:
        campaign_id: The campaign, for the message.
        before: Where it stands.
        after: Where it is to go.

    Raises:
        NotAllowed: The step is not among `NEXT`.

    Example:
        >>> checked_step("a", CampaignState.RUNNING, CampaignState.PAUSED)
    """
    if after not in NEXT[before]:
        may = ", ".join(sorted(NEXT[before])) or "nothing: make a new campaign instead"
        raise NotAllowed(
            "campaign-state",
            f"campaign {campaign_id} is {before}, cannot become {after}; may become: {may}",
        )
