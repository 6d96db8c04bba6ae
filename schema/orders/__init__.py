"""Orders: what was bought, what was delivered, what was billed."""
