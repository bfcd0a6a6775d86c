"""Where recordings come from: the simulator, BROAD, and the user's own files."""
