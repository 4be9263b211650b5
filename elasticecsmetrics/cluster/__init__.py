"""How to talk to Elasticsearch and OpenSearch: one transport for every version of both."""
