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
