"""The networks: ``multipath`` 3 h in and 12 h out, ``messages`` the next message, and peers."""
