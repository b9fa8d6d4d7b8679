"""Senders: one or more per channel, each in its own thread, none waiting for another channel."""
