"""The subject: grids, channels, calendars, climatology and the dataset at rest."""
