"""The path of a document: buffer, worker, sender, retry; what cannot be sent rests in the spool, and replay brings it later."""
