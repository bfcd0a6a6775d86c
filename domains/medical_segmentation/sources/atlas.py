"""The MNI152 template inside nilearn, with caudate nucleus and putamen outlined from its tissues.

V. Fonov et al., "Unbiased average age-appropriate atlases for pediatric studies", NeuroImage 54(1),
2011: ICBM 152 nonlinear symmetric 2009a, T1 and probabilities of grey and white matter at 1 mm.
The files lie in nilearn's package; nothing is downloaded.

The two nuclei are grey matter between planes read off the template: the caudate lies beside the
ventricle in front of the thalamus, the putamen between internal and external capsule.  Both look
alike and like the cortex next to them, so a threshold does not find them.  This is a demonstration
anatomy of a healthy template, not a manual segmentation.

Legend: X, Y, Z voxels of 1 mm in RAS.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LABELS = {"caudate": 1, "putamen": 2}

FIELD_MM = ((-20.0, -50.0, -40.0), (64.0, 54.0, 46.0))
"""Corners of what is kept of the template: the right deep nuclei with a margin to deform."""


@dataclass(frozen=True)
class Atlas:
    """Maps (X, Y, Z) at 1 mm around the right deep nuclei.

    Args:
        t1: brightness of the template, 0 to 1.
        grey: probability of grey matter.
        white: probability of white matter.
        structures: (2, X, Y, Z), share of caudate and putamen, 0 to 1.
        origin_mm: (3,) centre of voxel 0, 0, 0, MNI coordinates.
    """

    t1: NDArray[np.float32]
    grey: NDArray[np.float32]
    white: NDArray[np.float32]
    structures: NDArray[np.float32]
    origin_mm: NDArray[np.float64]


def load_atlas(spacing_mm: float) -> Atlas:
    """The template's maps, cut to ``FIELD_MM``, and the two structures.

    They are blurred as voxels of ``spacing_mm`` (1 or more) average what is in them.
    """
    import nibabel as nib
    import nilearn
    from scipy.ndimage import gaussian_filter

    folder = Path(nilearn.__file__).parent / "datasets" / "data"
    low, high = np.array(FIELD_MM)
    maps = []
    for kind in ("t1", "gm", "wm"):
        volume = nib.Nifti1Image.from_filename(
            folder / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
        )
        first = np.rint(low - volume.affine[:3, 3]).astype(int)
        last = np.rint(high - volume.affine[:3, 3]).astype(int) + 1
        cut = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
        maps.append(np.asarray(volume.dataobj[cut], np.float32) / 255.0)
    structures = _structures(maps[1], low)
    width = 0.5 * np.sqrt(max(spacing_mm**2 - 1.0, 0.0))
    t1, grey, white, *both = (gaussian_filter(one, width) for one in (*maps, *structures))
    return Atlas(t1, grey, white, np.stack(both), low)


def _structures(grey: NDArray[np.float32], origin_mm: NDArray) -> NDArray[np.float32]:
    """Caudate and putamen (2, X, Y, Z): grey matter around a seed, between planes in mm."""
    axes = [np.arange(n) + start for n, start in zip(grey.shape, origin_mm, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    caudate = (grey >= 0.5) & (x >= 4) & (x <= 19) & (y <= 28) & (z >= -4) & (z <= 24)
    # behind the head only its tail is left, over the thalamus
    caudate &= (y >= -3 * np.maximum(0, z - 14)) & (y >= -16)
    # the putamen is a third white matter by the template's own account; the insula lies beside it
    putamen = (grey >= 0.35) & (x >= 18) & (y >= -22) & (y <= 22) & (z >= -5) & (z <= 14)
    putamen &= (x <= 33) & (x <= 33.5 - 0.24 * (y + 5))
    seeds = ((12, 12, 6), (26, 4, 2))
    grown = [
        _grown(where, np.array(seed) - origin_mm)
        for where, seed in zip((caudate, putamen), seeds, strict=True)
    ]
    return np.stack(grown).astype(np.float32)


def _grown(where: NDArray[np.bool_], seed: NDArray) -> NDArray[np.bool_]:
    """The piece of ``where`` that holds ``seed``, thin bridges cut, holes filled."""
    from scipy import ndimage

    opened = ndimage.binary_opening(where, ndimage.generate_binary_structure(3, 1))
    pieces, _ = ndimage.label(opened)
    return ndimage.binary_fill_holes(pieces == pieces[tuple(seed.astype(int))])
