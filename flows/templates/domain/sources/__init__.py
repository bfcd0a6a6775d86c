"""Where points come from: the simulator, and the user's own tables."""
