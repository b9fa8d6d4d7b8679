"""Roll-out: a campaign goes from phase to phase by what came back, and stops by itself."""
