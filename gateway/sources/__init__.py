"""What stands between a loader and a connector."""
