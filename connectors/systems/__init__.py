"""One folder a system. Nothing but the catalog imports from here."""
