"""AIS messages in NMEA 0183 sentences: read in bounded memory, decoded by columns, encoded."""
