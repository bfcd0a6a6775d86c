"""Readers of raw AIS data and the simulator: what ingest and predict alone need."""
