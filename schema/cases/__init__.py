"""Cases: queries, claims and requests, with what was said and sent about them."""
