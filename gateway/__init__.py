"""Everything between the socket and the graph."""
