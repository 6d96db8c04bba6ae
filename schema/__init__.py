"""The graph, by business noun: what callers may ask, and which question answers it."""
