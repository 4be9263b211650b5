"""A cluster as a store: documents go out in one ``_bulk`` request, and its answer comes back as outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from elasticecsmetrics.cluster import bulk
from elasticecsmetrics.cluster.client import ClusterClient
from elasticecsmetrics.cluster.flavour import identify
from elasticecsmetrics.config import ClusterConfig
from elasticecsmetrics.errors import StoreUnreachableError
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import Outcome, Verdict
from elasticecsmetrics.model.store import Ping


class ClusterStore:
    """Elasticsearch or OpenSearch, as :class:`~elasticecsmetrics.model.store.Store`."""

    def __init__(self, config: ClusterConfig) -> None:
        """
        Raises:
            ConfigurationError: the login is not complete, or ``ca_certs`` holds no certificate.
            MissingExtraError: the login needs a package that is not installed.
        """
        self.client = ClusterClient(config)

    def write(self, documents: Sequence[Document], /) -> list[Outcome]:
        """Tries once to write these documents, in one request; one outcome for each, in order."""
        refused = {place: outcome for place, document in enumerate(documents) if (outcome := bulk.refused_here(document))}
        written = iter(self._send([document for place, document in enumerate(documents) if place not in refused]))
        return [refused[place] if place in refused else next(written) for place in range(len(documents))]

    def ping(self) -> Ping:
        """Asks who is there.

        Raises:
            StoreUnreachableError: no answer.
            StoreRefusedError: the login is refused, or what answers is no cluster.
        """
        return identify(self.client)

    def close(self) -> None:
        """Gives up all connections. A later ``write`` makes new ones."""
        self.client.close()

    def _send(self, documents: Sequence[Document]) -> list[Outcome]:
        if not documents:
            return []
        try:
            answer = self.client.request("POST", bulk.BULK_TARGET, body=bulk.encode(documents), content_type=bulk.CONTENT_TYPE)
        except StoreUnreachableError as error:
            outcome = Outcome(Verdict.RETRYABLE, type=type(error).__name__, reason=str(error), whole_request=True)
            return [outcome] * len(documents)
        return bulk.decode(answer, documents)
