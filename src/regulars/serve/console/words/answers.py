"""What a page answers when something was refused, or done."""

from regulars.serve.console.words.naming import N_

REFUSALS = {
    400: (
        N_("That did not work"),
        N_("The request could not be understood. Go back and try again."),
    ),
    401: (N_("Please sign in"), N_("Sign in to see this page.")),
    403: (
        N_("Not allowed"),
        N_("Your role does not allow this, or the form is too old. Reload the page and try again."),
    ),
    404: (N_("Not found"), N_("There is nothing here. Check the address, or start from Home.")),
    413: (N_("Too large"), N_("The request is too large.")),
    500: (
        N_("Something broke"),
        N_("The error was logged. Try again; if it stays, tell your admin."),
    ),
    503: (N_("Not available now"), N_("The workspace cannot be read at the moment.")),
}
SAID = {
    "pinned": N_("Pinned. Plans and turns keep to it from now on."),
    "plan_followed": N_("Turns keep to the plan from the next one on."),
    "plan_left": N_("Turns spend as they find best again."),
    "unpinned": N_("The pin is taken away."),
    "reviewed": N_("The review is kept."),
    "overridden": N_("Kept. It stands in place of what was learned."),
    "restored": N_("Back to what was learned."),
    "channel_said": N_("Kept. It counts from the next turn on."),
    "rules_kept": N_("The rules are kept, for orders that come from now on."),
    "codes_made": N_("The codes were made."),
    "facets_kept": N_("The tags and interests were kept."),
    "key_revoked": N_("The key no longer works."),
    "replay_asked": N_("Asked for. The drain decides these events again within seconds."),
    "nothing_to_replay": N_("Nothing was open there any more."),
    "dismissed": N_("Dismissed. The event stays in quarantine; you can take this back."),
    "reopened": N_("Open again."),
    "merged": N_("Merged. You can take this back in the merge log below."),
    "unmerged": N_("Taken apart again. Every identifier is back where it belongs."),
    "tag_given": N_("The tag was given."),
    "tag_removed": N_("The tag was removed. It stays away until somebody gives it again."),
    "tag_saved": N_("The tag was saved. Its members are settled in the next turn."),
    "tag_deleted": N_("The tag was deleted."),
    "audience_saved": N_(
        "The audience was saved. Its members are followed from the next refresh on."
    ),
    "audience_deleted": N_("The audience was deleted. Its versions and its history stay readable."),
    "audience_back": N_("The earlier version counts again, under a new number."),
    "audience_fresh": N_("Judged again. Who entered and who left is below."),
    "campaign_saved": N_("Saved as a draft. Look at it below, then ask for approval."),
    "submitted": N_("Asked for approval. Somebody else decides."),
    "sending": N_("Started. Contacts go out by themselves, phase by phase."),
    "paused": N_("Paused. Nothing more goes out until an approver lets it go on."),
    "resumed": N_("It goes on."),
    "passed": N_("The next phase may begin."),
    "ended": N_("Ended for good."),
    "journey_saved": N_("Saved. Nobody walks by it before it is published."),
    "journey_asked": N_("Asked for approval. Somebody else decides; then publish it here."),
    "journey_published": N_("Published. Customers come in from now on."),
    "journey_taken_back": N_("The version before is in force again."),
    "journey_paused": N_("Paused. Nobody goes on until an approver lets it."),
    "decided": N_("Your decision is kept."),
    "noted": N_("Kept."),
    "all_stopped": N_("All contacts are stopped. What is planned waits or is skipped."),
    "all_resumed": N_("Contacts may go out again."),
    "adopted": N_("Adopted. Events from now on are held against the new version."),
}
