"""What travels: the document, the outcome of sending it, and the protocol of what it is sent to."""
