"""What changed: told to caches and subscribers, in this process and through Redis in others."""
