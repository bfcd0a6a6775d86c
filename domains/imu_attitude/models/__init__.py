"""The networks: ``golroudbari`` the paper's A to D, ``hybrid`` our own."""
