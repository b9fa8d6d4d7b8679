"""What written campaigns and journeys caused, each against the customers held out of it."""
