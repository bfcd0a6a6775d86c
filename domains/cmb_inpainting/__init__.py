"""The sky behind the Galaxy: filling masked pixels of cosmic microwave background maps.

Papers: V. Sudevan, P. Chen, "SkyReconNet: A Cross-Resolution Contextual Integration Framework for
Inpainting with Application to Enhanced CMB Map Reconstruction", 2025, arXiv:2501.06139; its rivals
Y. Shin et al., "PEPSI++", 2019, arXiv:1905.09010, and H. Liu et al., "Rethinking Image Inpainting
via a Mutual Encoder-Decoder with Feature Equalizations", ECCV 2020, arXiv:2007.06929.

Data: ``sample`` simulated skies (CAMB spectra, HEALPix synthesis) behind a simulated Galaxy;
``public`` the same behind masks of the WMAP K band, and a real sky; or the user's FITS files.

Axes and units: temperature in µK (thermodynamic), HEALPix pixels in RING order at rest and as
12 faces (face, y, x) of nside × nside pixels in flight; masks 1 = observed, 0 = to fill; spectra
C_ℓ in µK², ℓ from 0; Galactic coordinates.  A Gaussian sky has an optimal fill, the constrained
mean; every score stands beside it.
"""
