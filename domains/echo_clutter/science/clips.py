"""One echocardiographic clip, and the dataset folder that holds many.

Legend: T frames, H depth, W width (pixels), P contour points.

At rest a clip is a NetCDF file ``<dataset>/clips/<split>_<name>.nc`` with dimensions ``time, depth,
width, point, xy``; which variables it has is said in ``domains/echo_clutter/__init__.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError

SPLITS = ("train", "validate", "test", "in_vivo")

Kind = Literal["simulated", "published", "in_vivo", "user"]

NUM_SEGMENTS = 7
"""Basal, mid and apical septal, apex, apical, mid and basal lateral: 0 to 6."""

IMAGES = ("clean", "cluttered", "paper_3d", "paper_2d")

_ENCODING = {"zlib": True, "complevel": 4, "shuffle": True}


@dataclass(frozen=True)
class Clip:
    """Grey frames of one heart, evenly spaced in time.

    Args:
        name: unique in a dataset.
        sector: (H, W) true where pixels count.
        clean: (T, H, W) the truth, grey levels 0 to 255; ``None`` where nobody knows it.
        cluttered: (T, H, W) the filter's input; ``None`` where clutter is drawn on the fly.
        paper_3d: (T, H, W) what the authors' 3-D filter made of ``cluttered``.
        paper_2d: (T, H, W) likewise their 2-D filter.
        contour: (T, P, 2) exact material points (x, y) of the endocardium in pixels, from the
            septal base over the apex to the lateral base.
        segment: (P,) 0 to 6, the segment of each point.
        frame_time_ms: time between frames in ms.
        pixel_mm: side of a pixel in mm; NaN where unknown.
        subject: whose heart.
        vendor: of the scanner.
        view: A4C and the like.
        kind: where it comes from.
        clutter: what was added, as JSON; empty where unknown or nothing.
    """

    name: str
    sector: NDArray[np.bool_]
    clean: NDArray[np.uint8] | None = None
    cluttered: NDArray[np.uint8] | None = None
    paper_3d: NDArray[np.uint8] | None = None
    paper_2d: NDArray[np.uint8] | None = None
    contour: NDArray[np.float32] | None = None
    segment: NDArray[np.int8] | None = None
    frame_time_ms: float = math.nan
    pixel_mm: float = math.nan
    subject: str = "unknown"
    vendor: str = "unknown"
    view: str = "unknown"
    kind: Kind = "user"
    clutter: str = ""

    def __post_init__(self) -> None:
        shapes = {key: image.shape for key, image in self.images.items()}
        if not shapes:
            raise DataError(f"echo_clutter: {self.name}: neither clean nor cluttered frames")
        if len(set(shapes.values())) > 1 or next(iter(shapes.values()))[1:] != self.sector.shape:
            raise DataError(
                f"echo_clutter: {self.name}: frames {shapes} and sector {self.sector.shape} differ "
                "in shape, expected (time, depth, width) and (depth, width)"
            )
        if self.contour is not None and len(self.contour) != len(self):
            raise DataError(
                f"echo_clutter: {self.name}: contour of {len(self.contour)} frames, "
                f"the clip has {len(self)}"
            )

    @property
    def images(self) -> dict[str, NDArray[np.uint8]]:
        """The frames it has, by name."""
        return {key: getattr(self, key) for key in IMAGES if getattr(self, key) is not None}

    def __len__(self) -> int:
        return len(next(iter(self.images.values())))


def save_clip(folder: Path, clip: Clip, split: str) -> Path:
    """Write ``clip`` into the dataset ``folder``; the same clip gives the same bytes."""
    import xarray as xr

    axes = ("time", "depth", "width")
    grey = {"units": "1", "long_name": "display grey level"}
    variables: dict[str, tuple[Any, ...]] = {
        key: (axes, image, grey) for key, image in clip.images.items()
    }
    about = {"units": "1", "long_name": "pixel counts"}
    variables["sector"] = (axes[1:], clip.sector.astype(np.int8), about)
    if clip.contour is not None:
        about = {"units": "pixel", "long_name": "material points of the endocardium (x, y)"}
        variables["contour"] = (("time", "point", "xy"), clip.contour, about)
    if clip.segment is not None:
        about = {"units": "1", "long_name": "segment of the point, 0 to 6"}
        variables["segment"] = (("point",), clip.segment, about)
    attributes = {
        key: getattr(clip, key)
        for key in (
            "name", "subject", "vendor", "view", "kind", "clutter", "frame_time_ms", "pixel_mm"
        )
    }  # fmt: skip
    dataset = xr.Dataset(variables, attrs={**attributes, "split": split})
    path = Path(folder) / "clips" / f"{split}_{clip.name}.nc"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_netcdf(path, engine="h5netcdf", encoding=dict.fromkeys(variables, _ENCODING))
    return path


def load_clip(path: Path) -> Clip:
    """The clip in one NetCDF file that ``save_clip`` wrote."""
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        values: dict[str, Any] = {str(key): dataset[key].values for key in dataset.data_vars}
        about = {str(key): value for key, value in dataset.attrs.items() if key != "split"}
    values["sector"] = values["sector"].astype(bool)
    about["frame_time_ms"], about["pixel_mm"] = (
        float(about[key]) for key in ("frame_time_ms", "pixel_mm")
    )
    return Clip(**values, **about)


def load_dataset(folder: Path | str, split: str) -> list[Clip]:
    """All clips of one split, by name; empty where it has none.

    Raises:
        DataError: ``folder`` holds no dataset of this domain.
    """
    clips = Path(folder) / "clips"
    if not clips.is_dir():
        raise DataError(f"{clips}: no such folder; run the ingest step of echo_clutter first")
    if split not in SPLITS:
        raise ValueError(f"split is one of {SPLITS}, not {split!r}")
    return [load_clip(path) for path in sorted(clips.glob(f"{split}_*.nc"))]
