"""Plumbing that connectors share: the wire, credentials, batching, chunking, sanitising."""
