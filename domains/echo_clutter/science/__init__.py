"""Geometry, clutter, wall motion and scores of echocardiographic clips, without training."""
