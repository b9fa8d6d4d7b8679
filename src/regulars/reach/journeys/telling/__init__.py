"""What journeys know, for whoever writes a message or looks at one customer."""
