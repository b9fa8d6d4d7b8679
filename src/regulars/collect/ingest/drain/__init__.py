"""The drain: what was acknowledged is decided on, stored once, counted and handed on."""

from regulars.collect.ingest.drain.deciding import Gates
from regulars.collect.ingest.drain.fates import Fate
from regulars.collect.ingest.drain.lag import Lag, read_lags

__all__ = ["Fate", "Gates", "Lag", "read_lags"]
