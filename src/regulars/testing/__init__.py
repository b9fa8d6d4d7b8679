"""Fakes and conformance suites for the ports.

An adapter's author subclasses a suite in a test file and says how the adapter is opened:

    class TestMyChannel(ChannelConformance):
        def open_channel(self, folder): ...
        def handed_over(self, folder, channel): ...
"""

from regulars.testing.channels import ChannelConformance
from regulars.testing.crashes import CrashingChannel, CrashingState, CrashPoints, Died
from regulars.testing.engine import EngineConformance
from regulars.testing.lake import LakeConformance
from regulars.testing.providers import FakeProvider, Fault
from regulars.testing.state import StateConformance

__all__ = [
    "ChannelConformance",
    "CrashPoints",
    "CrashingChannel",
    "CrashingState",
    "Died",
    "EngineConformance",
    "FakeProvider",
    "Fault",
    "LakeConformance",
    "StateConformance",
]
