"""Readers of DICOM, video and NPZ clips, and the simulator: what only ingest and predict need."""
