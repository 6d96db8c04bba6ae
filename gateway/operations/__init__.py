"""A document's life: parsed and validated once, then run for each caller."""
