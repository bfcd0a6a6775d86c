"""Where a vessel will be, from the messages it has sent.

Papers: G. Spadon, M. D. Ferreira, A. Soares, S. Matwin, "Unfolding AIS transmission behavior for
vessel movement modeling on noisy data leveraging machine learning", IEEE Access 11, 2023,
arXiv:2202.13867 (the content of the next messages); G. Spadon and others, "Multi-Path Long-Term
Vessel Trajectories Forecasting with Probabilistic Feature Fusion for Problem Shifting", Ocean
Engineering 312, 2024, arXiv:2310.18948 (1 to 3 h in, 12 h out).

Data: ``sample`` simulated lane traffic in the Gulf of St. Lawrence, emitted as raw NMEA with the
usual faults; ``public`` daily files of the Danish Maritime Authority; or the user's NMEA logs,
CSV, JSON or GeoParquet.

The dataset is a folder of Parquet tables (``science/storage.py`` reads and writes them):

- ``tracks.parquet`` (GeoParquet): one row per point resampled to ``tracks.step_min``, sorted by
  track and time: split, track_id, vessel (MMSI), time_s, longitude, latitude, sog_kn, cog_deg,
  ship_type, is_moving, geometry.  Neighbouring rows of one track are exactly a step apart.
- ``messages.parquet``: the clean messages as they came, irregular, sorted by track and time:
  split, track_id, vessel, time_s, longitude, latitude, sog_kn, cog_deg, heading_deg, rot_deg_min,
  ship_type, status; NaN where a value was not available (ship_type 0, status 15).
- ``flagged.parquet``: the position messages that cleaning set aside, with the reason.
- ``voyages.parquet`` (simulated data alone): vessel, departure_s, arrival_s, origin, destination,
  destination_longitude, destination_latitude: what was really steered for.
- ``cleaning.json``: counts by reason; ``card.json``: what the dataset is.

Axes and units: time in s since 1970-01-01 UTC (float64); longitude and latitude in degrees, WGS84,
longitude in [-180, 180); speed over ground in knots, course and heading in degrees clockwise from
north, [0, 360); rate of turn in degrees per minute, to starboard positive; ship_type is the code
of the AIS standard (ITU-R M.1371), 0 where unknown.  Splits ``train``, ``validate``, ``test``
share no vessel, and each lies later in time than the one before; rows whose vessel and time belong
to different ones are ``unused``.
"""
