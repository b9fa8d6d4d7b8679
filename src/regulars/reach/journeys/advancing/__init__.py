"""One look at all journeys: events are told, whoever is due goes on."""
