"""Everything between the graph's questions and the systems that hold the answers."""
