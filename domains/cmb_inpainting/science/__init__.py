"""The subject science of CMB skies: sphere, spectra, masks, classical fills; no training."""
