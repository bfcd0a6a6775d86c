"""What only ingest and predict need: readers, ERA5 by address, the simulation."""
