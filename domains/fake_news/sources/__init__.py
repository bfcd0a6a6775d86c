"""What only ingest and predict need to read or simulate raw articles and pictures."""
