"""The subject: skeletons and rotations, motion beats, beat grids, spectra and scores."""
