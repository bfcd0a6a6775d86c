"""The subject: the sphere, cleaning, tracks, hexagons, kinematics, scores; no training in it."""
