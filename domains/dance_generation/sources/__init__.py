"""What only ingest and predict need: motion files, audio, synthetic songs, the dancer."""
