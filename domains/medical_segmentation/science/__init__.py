"""Geometry, intensities, scores and regions of volumes: the subject, without training."""
