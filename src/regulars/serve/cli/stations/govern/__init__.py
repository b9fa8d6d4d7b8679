"""`regulars govern`: users, legal bases, consent and the audit log."""

import typer

from regulars.serve.cli.stations.govern import (
    accounts,
    approving,
    consenting,
    contact_rules,
    legal_basis,
    publishing,
    reviewing,
    rights,
    suppressing,
)

app = typer.Typer(no_args_is_help=True)
app.add_typer(accounts.user, name="user")
app.add_typer(accounts.api_key, name="api-key")
app.add_typer(publishing.app, name="publishable-key")
app.add_typer(accounts.audit, name="audit")
app.add_typer(legal_basis.app, name="legal-basis")
app.add_typer(consenting.app, name="consent")
app.add_typer(suppressing.app)
app.add_typer(contact_rules.app)
app.add_typer(reviewing.app)
app.add_typer(approving.app)
app.add_typer(rights.app)


@app.callback()
def govern() -> None:
    """Users, legal bases, consent and the audit log."""
