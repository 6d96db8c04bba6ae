"""What the graph may ask of any system, in our words. Standard library only."""
