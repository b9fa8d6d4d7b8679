"""Acting: points given or taken by journeys, and spent on rewards."""
