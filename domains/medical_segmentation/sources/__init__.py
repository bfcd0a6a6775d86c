"""What only ingest and predict need: readers of raw files and the simulated cohort."""
