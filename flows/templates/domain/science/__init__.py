"""The subject, without any training: ``points`` the dataset's table, ``baselines`` the rivals."""
