"""A cluster as a store: documents go out in one ``_bulk`` request, and its answer comes back as outcomes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from elasticecsmetrics.cluster import bulk
from elasticecsmetrics.cluster.client import ClusterClient
from elasticecsmetrics.cluster.flavour import identify
from elasticecsmetrics.config import ClusterConfig
from elasticecsmetrics.errors import StoreRefusedError, StoreUnreachableError
from elasticecsmetrics.indexing.fieldtypes import choose_types
from elasticecsmetrics.indexing.naming import index_patterns, validate_index_name
from elasticecsmetrics.indexing.probe import supported_types
from elasticecsmetrics.indexing.templates import Kind, template
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

    def install_template(self, index_name: str, kind: Kind = "minimal") -> str:
        """Installs the index template for the indexes of this name, with the field types that the server knows.

        Installing it again replaces it by the same. Indexes that exist already keep their mapping.

        Args:
            index_name: the index's name without its date, as ``es_index_name``.
            kind: the names that this library writes, or all of ECS.

        Returns:
            The template's name.

        Raises:
            ConfigurationError: no index may have this name.
            StoreUnreachableError: no answer.
            StoreRefusedError: the server refuses: a right is missing, or another template of the same priority is in the way.
        """
        patterns = index_patterns(validate_index_name(index_name))
        types = choose_types(supported_types(self._ask))
        name = f"elasticecsmetrics-{index_name}"
        body = template(kind, index_patterns=patterns, types=types)
        answer = self.client.request("PUT", f"/_index_template/{name}", body=json.dumps(body).encode())
        if answer.status != 200:
            raise StoreRefusedError(f"{answer.url}: the template {name} was refused: {answer.glimpse()}", status=answer.status)
        return name

    def _ask(self, method: str, target: str, body: bytes) -> int:
        return self.client.request(method, target, body=body).status

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
