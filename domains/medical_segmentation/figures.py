"""Pictures of an evaluation: ours blue, truth black and white, baselines grey.

Legend: X, Y, Z voxels of the scanner's grid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from domains.contract import Figure, save_figure
from domains.medical_segmentation.models.activations import kept_bytes
from domains.medical_segmentation.models.networks import make_network
from domains.medical_segmentation.science.geometry import Grid, to_canonical
from domains.medical_segmentation.science.regions import to_regions

if TYPE_CHECKING:
    from domains.medical_segmentation.evaluate import Answers
    from domains.medical_segmentation.train import Task

OURS, TRUTH = "tab:blue", "black"
_GREYS = {"atlas": ("0.45", "s"), "threshold": ("0.7", "x")}
_LINES = ("-", "--", ":", "-.")  # one for each structure
_PLANES = ("sagittal", "coronal", "axial")  # cut across x, y and z
_EDGES = (32, 64, 128)  # voxels, of the patches in the picture of memory
_MAX_ROWS = 60  # of the strip; a page holds no more


def draw(
    out: Path,
    answered: Callable[[str], Answers],
    structures: Mapping[str, Sequence[int]],
    cases: pd.DataFrame,
    task: Task,
) -> list[Figure]:
    """Write all pictures below ``out/figures``.

    Args:
        out: folder of the evaluation.
        answered: name of a test case -> what each method found in it.
        structures: name -> label values.
        cases: table of the evaluation.
        task: trained.
    """
    return [
        _slices(out, answered, structures, cases, task.channels),
        _by_case(out, structures, cases),
        _memory(out, task),
    ]


def picks(cases: pd.DataFrame, metric: str) -> dict[str, int]:
    """Rows of the worst, the median and the best case (higher is better)."""
    ordered = cases.reset_index(drop=True).dropna(subset=[metric]).sort_values(metric).index
    return {
        "worst": int(ordered[0]),
        "median": int(ordered[len(ordered) // 2]),
        "best": int(ordered[-1]),
    }


def draw_planes(
    panels: Sequence[Axes],
    image: NDArray[np.float32],
    affine: NDArray[np.float64],
    truth: Sequence[NDArray[np.bool_]],
    found: Sequence[NDArray[np.bool_]],
) -> None:
    """Three planes through the middle of the structures, with outlines.

    Args:
        panels: three axes.
        image: (X, Y, Z).
        affine: (4, 4), indices to mm.
        truth: (X, Y, Z) for each structure; may be empty.
        found: likewise.
    """
    grid = Grid(image.shape, affine)
    spacing = grid.canonical().spacing_mm
    turned = to_canonical(image, grid)
    masks = [[to_canonical(mask, grid) for mask in part] for part in (truth, found)]
    centre = _middle([*masks[0], *masks[1]], turned.shape)
    low, high = np.percentile(turned, [1, 99])
    for axis, axes in enumerate(panels):
        one, two = (other for other in range(3) if other != axis)
        extent = (0.0, turned.shape[one] * spacing[one], 0.0, turned.shape[two] * spacing[two])
        plane = turned.take(centre[axis], axis).T
        axes.imshow(
            plane, cmap="gray", origin="lower", extent=extent, vmin=low, vmax=max(high, low + 1e-6)
        )
        for part, colour in zip(masks, (TRUTH, OURS), strict=True):
            for number, mask in enumerate(part):
                _outline(axes, mask.take(centre[axis], axis).T, extent, colour, number)
        axes.set(xticks=[], yticks=[])


def _outline(axes: Axes, mask: NDArray[np.bool_], extent: tuple, colour: str, number: int) -> None:
    if not mask.any() or mask.all():
        return  # contour warns where there is no edge
    lines = axes.contour(
        mask.astype(float),
        levels=[0.5],
        colors=[colour],
        extent=extent,
        linewidths=1.0,
        linestyles=[_LINES[number % len(_LINES)]],
    )
    if colour == TRUTH:  # black on dark tissue needs a white rim
        lines.set_path_effects([patheffects.withStroke(linewidth=2.2, foreground="white")])


def _middle(masks: Sequence[NDArray[np.bool_]], shape: Sequence[int]) -> list[int]:
    """Centre of mass of all masks, the centre of the volume without any."""
    every = np.any(np.stack(masks), axis=0) if masks else np.zeros(shape, bool)
    if not every.any():
        return [size // 2 for size in shape]
    return [round(float(place.mean())) for place in np.nonzero(every)]


def _slices(
    out: Path,
    answered: Callable[[str], Answers],
    structures: Mapping[str, Sequence[int]],
    cases: pd.DataFrame,
    channels: Sequence[str],
) -> Figure:
    """Worst, median and best case, each in three planes."""
    chosen = picks(cases, "dice_mean")
    canvas = Canvas(figsize=(7.2, 7.4), layout="constrained")
    rows = canvas.subplots(3, 3)
    for panels, (kind, number) in zip(rows, chosen.items(), strict=True):
        one = answered(cases["case"].iloc[number])
        assert one.case.label is not None
        truth = list(to_regions(one.case.label, structures))
        found = [one.found["ours"][name] for name in structures]
        draw_planes(panels, one.case.image[0], one.case.affine, truth, found)
        dice = cases["dice_mean"].iloc[number]
        panels[0].set_ylabel(f"{kind}: {one.case.name}\nDice {dice:.3f}", fontsize=8)
    for axes, plane in zip(rows[0], _PLANES, strict=True):
        axes.set_title(plane, fontsize=9)
    handles = [Line2D([], [], color=TRUTH, label="truth"), Line2D([], [], color=OURS, label="ours")]
    handles += [
        Line2D([], [], color="0.4", ls=_LINES[k % len(_LINES)], label=name)
        for k, name in enumerate(structures)
    ]
    canvas.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
    canvas.suptitle(f"Outlines on {channels[0]}, Dice 0 to 1 (higher is better)", fontsize=10)
    names = ", ".join(f"{kind} {cases['case'].iloc[number]}" for kind, number in chosen.items())
    return save_figure(
        canvas,
        out,
        "slices",
        f"Outlines of truth and ours in three planes through the middle of the structures; mean "
        f"Dice decides the rows: {names} of {len(cases)} test cases.",
        "Nine grey slices in three rows, worst, median and best case; blue outlines of ours over "
        "black ones of the truth.",
    )


def _by_case(out: Path, structures: Mapping[str, Sequence[int]], cases: pd.DataFrame) -> Figure:
    """Dice of each method in each case, a panel for each structure."""
    table = cases.dropna(subset=["dice_mean"]).sort_values("dice_mean", ignore_index=True)
    shown = table.iloc[:_MAX_ROWS]
    rows = np.arange(len(shown))
    canvas = Canvas(
        figsize=(1.6 + 2.2 * len(structures), 1.5 + 0.2 * len(shown)), layout="constrained"
    )
    panels = np.atleast_1d(canvas.subplots(1, len(structures), sharey=True, sharex=True))
    for axes, name in zip(panels, structures, strict=True):
        for method, (grey, marker) in _GREYS.items():
            column = shown[f"dice_{name}:{method}"]
            axes.plot(column, rows, marker, color=grey, ms=4, label=method, clip_on=False)
        axes.plot(shown[f"dice_{name}"], rows, "o", color=OURS, ms=5, label="ours", clip_on=False)
        axes.set(yticks=rows, xlim=(0, 1))
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("Dice")
        axes.grid(axis="x", color="0.9")
    panels[0].set_yticks(rows, shown["case"], fontsize=7)
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    cut = f", the lowest {_MAX_ROWS}" if len(table) > _MAX_ROWS else ""
    canvas.suptitle(f"Dice by test case (higher is better), n = {len(table)}{cut}", fontsize=10)
    better = int((table["dice_mean"] > table["dice_mean:atlas"]).sum())
    return save_figure(
        canvas,
        out,
        "dice_by_case",
        f"Dice of each structure by test case, ours, atlas and threshold; ours has the higher "
        f"mean Dice than the atlas in {better} of {len(table)} cases.",
        f"Dots between 0 and 1, one row for each of {len(shown)} cases and one panel for each "
        "structure: ours in blue, two baselines in greys.",
    )


def _memory(out: Path, task: Task) -> Figure:
    """Activations kept for the backward pass against the edge of a patch, by network.

    A network that cannot be made at the trained one's sizes has no line; the caption says so.
    """
    model, spacing = task.config["model"], task.plan["spacing_mm"]
    kept_pairs = {**model["reversible"], "is_reversible": False}
    others: dict[str, dict[str, Any]] = {
        "xlstm_unet": {"network": "xlstm_unet"},
        "swtr": {"network": "swtr"},
        "reversible": {"network": "reversible"},
        "reversible, kept": {"network": "reversible", "reversible": kept_pairs},
    }
    plan = {"patch": [_EDGES[0]] * 3, "spacing_mm": spacing}
    lines, absent = {}, []
    for name, change in others.items():
        try:
            network, _, strides = make_network({**model, **change}, len(task.channels), 2, plan)
        except ValueError:
            absent.append(name)
            continue
        # edges are multiples of all strides of every plan up to the smallest of them
        assert max(strides) <= _EDGES[0]
        sizes = [kept_bytes(network, (1, len(task.channels), e, e, e)) for e in _EDGES]
        lines[name] = np.array(sizes) / 1e6
    canvas = Canvas(figsize=(6.4, 3.8), layout="constrained")
    axes = canvas.subplots()
    greys = ("0.2", "0.4", "0.55", "0.7")
    for (name, megabytes), grey, marker in zip(lines.items(), greys, "os^v", strict=False):
        is_ours = name == model["network"]
        colour, width = (OURS, 2.4) if is_ours else (grey, 1.2)
        label = f"{name}, trained here" if is_ours else name
        axes.plot(_EDGES, megabytes, f"{marker}-", color=colour, lw=width, ms=5, label=label)
    axes.set(yscale="log", xlabel="edge of the patch (voxels)", ylabel="kept activations (MB)")
    axes.set_xticks(_EDGES)
    axes.legend(fontsize=8)
    axes.grid(color="0.9")
    axes.set_title("Memory that a training step keeps, batch 1 (MB, lower is better)", fontsize=10)
    last = [f"{name} {megabytes[-1]:,.0f} MB" for name, megabytes in lines.items()]
    missing = f" Not to be made at these sizes: {'; '.join(absent)}." if absent else ""
    return save_figure(
        canvas,
        out,
        "memory",
        f"Activations kept for the backward pass, computed from shapes, at the sizes of section "
        f"model; at {_EDGES[-1]}³ voxels: {', '.join(last)}.{missing}",
        "Rising curves of memory over the edge of the patch on a logarithmic scale, one for each "
        "network, the trained one in blue.",
    )
