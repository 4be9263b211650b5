"""The names of the loggers that the libraries under our cluster client write to.

A handler that ships their records would feed on its own requests. Imports nothing, so that it can be asked at any time.
"""

from __future__ import annotations

#: Each name stands for itself and all below it. ``elastic_transport`` and ``urllib3`` write with every request, ``requests``
#: and what follows under Kerberos and AWS logins; ``elasticsearch`` and ``opensearch`` are clients that we may be handed.
CLIENT_LOGGERS: tuple[str, ...] = (
    "elastic_transport",
    "elasticsearch",
    "opensearch",
    "urllib3",
    "requests",
    "charset_normalizer",
    "requests_kerberos",
    "spnego",
)
