"""Events on their way to journeys: kept as they are stored, told at the next pass."""
