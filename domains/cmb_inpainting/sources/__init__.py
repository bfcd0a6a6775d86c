"""Where skies come from: the simulator, WMAP, and the FITS files of the user."""
