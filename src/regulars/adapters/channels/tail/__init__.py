"""The tail: services few use, carried by Apprise."""
