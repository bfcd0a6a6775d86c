"""The flows: how the suite runs its domains (Prefect drives DVC, MLflow remembers)."""
