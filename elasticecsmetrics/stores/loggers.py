"""The names of the loggers that the libraries under our stores write to, the cluster client's among them."""

from __future__ import annotations

from elasticecsmetrics.cluster.loggers import CLIENT_LOGGERS

#: Each name stands for itself and all below it.
STORE_LOGGERS: tuple[str, ...] = (*CLIENT_LOGGERS, "sqlalchemy", "psycopg")
