"""Campaigns, channels and delivery as they are watched: one record each, easy to show."""

from regulars.serve.sending.watching.views import (
    CampaignView,
    ChannelRow,
    campaign_view,
    channel_rows,
    compare_with,
)

__all__ = ["CampaignView", "ChannelRow", "campaign_view", "channel_rows", "compare_with"]
