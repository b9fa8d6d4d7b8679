"""How long the channels under test wait for an answer."""


def patience(server):
    """A second where silence is what is tested; else long, so that a busy machine fails nobody."""
    return 1.0 if server.troubles.is_silent else 60.0
