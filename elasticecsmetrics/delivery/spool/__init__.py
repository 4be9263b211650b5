"""The failure folder: files that wait for the store, and those it refused, each owned by whoever holds its lock."""

from elasticecsmetrics.delivery.spool.claims import Claim
from elasticecsmetrics.delivery.spool.settling import Settled
from elasticecsmetrics.delivery.spool.spool import Spool, SpoolWritten

__all__ = ["Claim", "Settled", "Spool", "SpoolWritten"]
