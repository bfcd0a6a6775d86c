"""AIST++ motion files: SMPL poses in a Python pickle, read without running it.

Legend: F frames.

R. Li et al., "AI Choreographer", ICCV 2021: ``smpl_poses`` (F, 72) axis·angle of 24 joints in rad,
``smpl_trans`` (F, 3), ``smpl_scaling`` (1,), at 60 frames per second; metres are trans/scaling.
A pickle is a program, and one from elsewhere could do anything: only what rebuilds a NumPy array
is let through.  The bones are those of SMPL's mean body, as the code of EDGE (J. Tseng et al., CVPR
2023, MIT licence) gives them: the pickle has none.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from domains.dance_generation.science.rotations import from_rotation_vector
from domains.dance_generation.science.skeleton import POSITIONS, Skeleton, Vector
from domains.dance_generation.sources.takes import Take
from domains.errors import DataError

FPS = 60.0

_ALLOWED = (
    {
        (f"{package}.multiarray", name)
        for package in ("numpy.core", "numpy._core")
        for name in ("_reconstruct", "scalar")
    }
    | {("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer")}
    | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}
)

_BONES: tuple[tuple[str, int, Vector], ...] = (
    ("Pelvis", -1, (0.0, 0.0, 0.0)),
    ("L_Hip", 0, (0.05858135, -0.08228004, -0.01766408)),
    ("R_Hip", 0, (-0.06030973, -0.09051332, -0.01354254)),
    ("Spine1", 0, (0.00443945, 0.12440352, -0.03838522)),
    ("L_Knee", 1, (0.04345142, -0.38646945, 0.008037)),
    ("R_Knee", 2, (-0.04325663, -0.38368791, -0.00484304)),
    ("Spine2", 3, (0.00448844, 0.1379564, 0.02682033)),
    ("L_Ankle", 4, (-0.01479032, -0.42687458, -0.037428)),
    ("R_Ankle", 5, (0.01905555, -0.4200455, -0.03456167)),
    ("Spine3", 6, (-0.00226458, 0.05603239, 0.00285505)),
    ("L_Foot", 7, (0.04105436, -0.06028581, 0.12204243)),
    ("R_Foot", 8, (-0.03483987, -0.06210566, 0.13032329)),
    ("Neck", 9, (-0.0133902, 0.21163553, -0.03346758)),
    ("L_Collar", 9, (0.07170245, 0.11399969, -0.01889817)),
    ("R_Collar", 9, (-0.08295366, 0.11247234, -0.02370739)),
    ("Head", 12, (0.01011321, 0.08893734, 0.05040987)),
    ("L_Shoulder", 13, (0.12292141, 0.04520509, -0.019046)),
    ("R_Shoulder", 14, (-0.11322832, 0.04685326, -0.00847207)),
    ("L_Elbow", 16, (0.2553319, -0.01564902, -0.02294649)),
    ("R_Elbow", 17, (-0.26012748, -0.01436928, -0.03126873)),
    ("L_Wrist", 18, (0.26570925, 0.01269811, -0.00737473)),
    ("R_Wrist", 19, (-0.26910836, 0.00679372, -0.00602676)),
    ("L_Hand", 20, (0.08669055, -0.01063603, -0.01559429)),
    ("R_Hand", 21, (-0.0887537, -0.00865157, -0.01010708)),
)
_TURNS = ("Zrotation", "Xrotation", "Yrotation")
_LEAVES = {number for number, _ in enumerate(_BONES)} - {parent for _, parent, _ in _BONES}

SKELETON = Skeleton(
    names=tuple(name for name, _, _ in _BONES),
    parents=tuple(parent for _, parent, _ in _BONES),
    offsets_m=tuple(offset for _, _, offset in _BONES),
    channels=tuple((*POSITIONS, *_TURNS) if parent < 0 else _TURNS for _, parent, _ in _BONES),
    # BVH wants an end to every last bone
    end_sites=tuple((leaf, (0.0, 0.0, 0.08)) for leaf in sorted(_LEAVES)),
)


class _ArraysOnly(pickle.Unpickler):
    """Loads dictionaries, lists, numbers, texts and NumPy arrays, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        """The few functions that make up an array."""
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        if module.startswith("numpy.core"):
            module = module.replace("numpy.core", "numpy._core")
        return super().find_class(module, name)


def read_aist(path: Path, unit_m: float = 1.0) -> Take:
    """The motion of an AIST++ file; ``unit_m`` is not used: the file has its own scale.

    Raises:
        DataError: a pickle that holds anything but arrays, is cut short, or is no motion of AIST++.
    """
    values = load_arrays(path)
    if missing := [key for key in ("smpl_poses", "smpl_trans") if key not in values]:
        hint = "; it holds keypoints, take the file of motions" if "keypoints3d" in values else ""
        raise DataError(f"{path}: {', '.join(missing)} missing, expected AIST++ motions{hint}")
    poses = np.asarray(values["smpl_poses"], np.float64)
    trans = np.asarray(values["smpl_trans"], np.float64)
    if poses.ndim != 2 or poses.shape[1] != 72 or trans.shape != (len(poses), 3):
        raise DataError(
            f"{path}: smpl_poses {poses.shape}, smpl_trans {trans.shape}, expected (F, 72), (F, 3)"
        )
    scale = float(np.ravel(values.get("smpl_scaling", 1.0))[0])
    turned = from_rotation_vector(poses.reshape(len(poses), 24, 3))
    return Take(path.stem, SKELETON, FPS, trans / scale, turned)


def load_arrays(path: Path) -> dict[str, Any]:
    """The dictionary in a pickle of arrays.

    Raises:
        DataError: it is none, or would run code.
    """
    try:
        with open(path, "rb") as stream:
            values = _ArraysOnly(stream).load()
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path}: not loaded: {str(error).splitlines()[0]}; a pickle may hold arrays alone"
        ) from error
    except Exception as error:  # a broken pickle raises nearly anything
        raise DataError(
            f"{path}: no pickle or cut short ({type(error).__name__}); download it again"
        ) from error
    if not isinstance(values, dict):
        raise DataError(f"{path}: holds a {type(values).__name__}, expected a dictionary of arrays")
    return values
