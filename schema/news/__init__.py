"""News, for everybody."""
