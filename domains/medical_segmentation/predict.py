"""A trained model and the user's volume to a label volume on the very same voxels.

Legend: C channel; X, Y, Z voxels of the image as it was given.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import whole_file, write_text
from domains.medical_segmentation.params import IngestParams, PredictParams
from domains.medical_segmentation.science.cases import write_nifti
from domains.medical_segmentation.science.plausibility import doubts
from domains.medical_segmentation.science.regions import to_regions
from domains.medical_segmentation.sources import dicom
from domains.medical_segmentation.sources.layouts import channel_groups
from domains.medical_segmentation.sources.nifti import ENDINGS, Volume, is_nifti, stem
from domains.medical_segmentation.sources.volumes import read_image

_log = logging.getLogger(__name__)


class SegmentationModel(Protocol):
    """What a trained task of this domain can do."""

    channels: Sequence[str]
    labels: Mapping[str, int]
    regions: Mapping[str, Sequence[int]] | None
    plan: Mapping[str, Any]

    def segment(self, image: NDArray[np.float32], affine: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Label (X, Y, Z) on the grid of ``image`` (C, X, Y, Z)."""


def predict(
    task: SegmentationModel, input: Path | str, output: Path | str, **params: Mapping[str, Any]
) -> None:
    """Write the label volume of ``input`` to ``output``: same voxels, same affine, uint8.

    Args:
        task: a trained task.
        input: a NIfTI file, the folder of a DICOM series, or ``…_0000.nii.gz`` with the other
            channels beside it.  Or a folder of NIfTI files, one case after the other.
        output: .nii or .nii.gz, whole or not at all; for a folder of cases the folder that gets
            ``<case>.nii.gz``.  With ``evaluate.predict`` also a .json of volumes in ml (of regions
            where the task has them) and a .png of three planes beside it.
        **params: the domain's block; ``ingest`` and ``evaluate.predict`` are read.

    Raises:
        DataError: the input cannot be used, or the output has another ending.
    """
    settings = IngestParams.model_validate(params["ingest"])
    wanted = PredictParams.model_validate(params["evaluate"]["predict"])
    structures = task.regions or {name: [value] for name, value in task.labels.items()}
    for images, place in _places(Path(input), Path(output)):
        notes: list[str] = []
        volume, image = read_image(
            images, settings.tolerance_mm, settings.allow_missing_affine, notes
        )
        for sentence in dict.fromkeys(notes):
            _log.warning("warning: medical_segmentation: %s: %s", images[0].name, sentence)
        label = task.segment(image, volume.affine)
        with whole_file(place) as scratch:
            write_nifti(scratch, _on_grid_of(volume, label), is_gzip=place.suffix.lower() == ".gz")
        volumes = _volumes_ml(label, structures, volume.grid.voxel_ml)
        for doubt in doubts(task.plan["seen"], volume.grid, structures, volumes):
            _log.warning("warning: medical_segmentation: %s: %s", place.name, doubt)
        told = ", ".join(f"{name} {volume_ml:g} ml" for name, volume_ml in volumes.items())
        print(f"{place.name}: {told}")
        beside = place.with_name(stem(place))
        if wanted.volumes:
            write_text(
                beside.with_name(f"{beside.name}.json"),
                json.dumps({"image": images[0].name, "volume_ml": volumes}, indent=2) + "\n",
            )
        if wanted.overlay:
            with whole_file(beside.with_name(f"{beside.name}.png")) as scratch:
                _draw(scratch, image[0], label, volume, structures)


def infer(task: SegmentationModel, arrays: Mapping[str, NDArray]) -> dict[str, NDArray[np.uint8]]:
    """``label`` (X, Y, Z) for one volume.

    Args:
        task: a trained task.
        arrays: ``image`` (C, X, Y, Z) in the scanner's unit, finite; ``affine`` (4, 4), voxel
            indices to mm in RAS.

    Raises:
        DataError: an array is missing, of another shape, or not finite.
    """
    if missing := [key for key in ("image", "affine") if key not in arrays]:
        raise DataError(
            f"medical_segmentation: {', '.join(missing)} missing, expected image (C, X, Y, Z) and "
            "affine (4, 4)"
        )
    image = np.asarray(arrays["image"], np.float32)
    affine = np.asarray(arrays["affine"], np.float64)
    if image.ndim != 4 or len(image) != len(task.channels):
        raise DataError(
            f"medical_segmentation: image has shape {image.shape}, expected "
            f"({len(task.channels)}, X, Y, Z): {', '.join(task.channels)}"
        )
    if affine.shape != (4, 4) or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise DataError(
            "medical_segmentation: affine has no inverse, expected (4, 4) from voxels to mm"
        )
    if not np.isfinite(image).all():
        raise DataError(
            "medical_segmentation: image has NaN or infinite voxels; replace them first"
        )
    return {"label": task.segment(image, affine)}


def example_input(task: SegmentationModel) -> dict[str, NDArray]:
    """A random volume of the size of a patch, as ``infer`` takes it."""
    shape = (len(task.channels), *task.plan["patch"])
    noise = np.random.default_rng(0).standard_normal(shape)
    affine = np.diag([*task.plan["spacing_mm"], 1.0])
    return {"image": noise.astype(np.float32), "affine": affine}


def _places(input: Path, output: Path) -> list[tuple[list[Path], Path]]:
    """Files of each case and the file to write for it."""
    is_volume = output.name.lower().endswith(ENDINGS)
    if input.is_dir() and not dicom.is_series(input):
        if is_volume or output.is_file():
            raise DataError(f"{output}: the input is a folder of cases, expected a folder too")
        paths = [path for path in input.iterdir() if is_nifti(path)]
        paths += [path for path in input.iterdir() if dicom.is_series(path)]
        if not paths:
            raise DataError(f"{input}: nothing there, expected NIfTI files or a DICOM series")
        groups = channel_groups(paths)
        for path in sorted(set(paths).difference(*groups.values())):
            _log.warning(
                "warning: medical_segmentation: %s: lies beside numbered channels of its name; "
                "taken as their answer, not as an image",
                path.name,
            )
        places = [(images, output / f"{name}.nii.gz") for name, images in groups.items()]
    else:
        if not is_volume:
            raise DataError(
                f"{output}: cannot write this kind of file, expected {' or '.join(ENDINGS)}"
            )
        places = [(_with_other_channels(input), output)]
    for images, place in places:
        if place.resolve() in {path.resolve() for path in images}:
            raise DataError(f"{place}: is the input itself; write the labels to another place")
    return places


def _with_other_channels(path: Path) -> list[Path]:
    """``path``, and if it is the first of ``…_0000``, ``…_0001`` and so on, the others."""
    if not is_nifti(path) or not stem(path).endswith("_0000"):
        return [path]
    name = stem(path).removesuffix("_0000")
    siblings = (one for one in path.parent.iterdir() if is_nifti(one))
    return next(group for case, group in channel_groups(list(siblings)).items() if case == name)


def _on_grid_of(volume: Volume, label: NDArray[np.uint8]) -> nib.Nifti1Image:
    """``label`` with the affine and the codes of ``volume``'s header, but no scaling of values."""
    if volume.header is None:  # DICOM: scanner coordinates
        image = nib.Nifti1Image(label, volume.affine)
        image.set_sform(volume.affine, code=1)
        image.header.set_xyzt_units("mm")
        return image
    header = volume.header.as_byteswapped("<")
    header.extensions.clear()  # they may tell who was scanned
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    for key in ("cal_min", "cal_max"):
        header[key] = 0
    return nib.Nifti1Image(label, None, header)


def _volumes_ml(
    label: NDArray[np.uint8], structures: Mapping[str, Sequence[int]], voxel_ml: float
) -> dict[str, float]:
    """Volume of each structure (name -> label values) in ml."""
    inside = zip(structures, to_regions(label, structures), strict=True)
    return {name: round(int(mask.sum()) * voxel_ml, 4) for name, mask in inside}


def _draw(
    path: Path,
    image: NDArray[np.float32],
    label: NDArray[np.uint8],
    volume: Volume,
    structures: Mapping[str, Sequence[int]],
) -> None:
    """Three planes through the middle of what was found, seen as R, A, S, with its outlines."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from domains.medical_segmentation.science.geometry import to_canonical

    grid = volume.grid.canonical()
    image, label = to_canonical(image, volume.grid), to_canonical(label, volume.grid)
    found = np.argwhere(label > 0)
    middle = np.median(found, axis=0).astype(int) if len(found) else np.array(label.shape) // 2
    low, high = np.percentile(image, [1, 99])
    figure = Figure(figsize=(10, 4), layout="constrained")
    names = ("sagittal", "coronal", "axial")
    for axis, (axes, name) in enumerate(zip(figure.subplots(1, 3), names, strict=True)):
        across, up = (one for one in range(3) if one != axis)
        picture, mask = (np.take(one, middle[axis], axis=axis).T for one in (image, label))
        aspect = float(grid.spacing_mm[up] / grid.spacing_mm[across])
        axes.imshow(picture, cmap="gray", vmin=low, vmax=high, origin="lower", aspect=aspect)
        for number, inside in enumerate(to_regions(mask, structures)):
            if inside.any() and min(mask.shape) > 1:
                axes.contour(inside, levels=[0.5], colors=f"C{number}", linewidths=1.2)
        axes.set_title(f"{name}, plane {middle[axis]}")
        axes.set_axis_off()
    lines = [Line2D([], [], color=f"C{k}", label=name) for k, name in enumerate(structures)]
    figure.legend(handles=lines, loc="outside lower center", ncols=len(lines), frameon=False)
    figure.savefig(path, dpi=120, format="png")
