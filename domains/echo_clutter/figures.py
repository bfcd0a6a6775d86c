"""Pictures of an evaluation: a moving triptych, M-mode, errors by clip, strain curves.

Ours is blue, truth black, baselines grey.  Legend: T frames, H depth, W width, S segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from domains.contract import Figure, save_figure
from domains.echo_clutter.data import clean_of, cluttered_of
from domains.echo_clutter.science.clips import Clip
from domains.echo_clutter.science.scores import near_field

if TYPE_CHECKING:
    from domains.echo_clutter.evaluate import Scored

OURS, TRUTH = "tab:blue", "black"
_STYLES = {
    "nothing": ("0.15", "s"),
    "near_field_minimum": ("0.35", "^"),
    "median": ("0.5", "v"),
    "high_pass": ("0.65", "D"),
    "svd": ("0.8", "x"),
    "paper_3d": ("0.3", "*"),
    "paper_2d": ("0.6", "P"),
    "clean": ("black", "|"),
}
_NAMES = {
    "nothing": "cluttered",
    "near_field_minimum": "near-field minimum",
    "high_pass": "high-pass",
    "svd": "SVD",
    "paper_3d": "authors' 3-D",
    "paper_2d": "authors' 2-D",
}
_SEGMENTS = (
    "basal septal", "mid septal", "apical septal", "apex",
    "apical lateral", "mid lateral", "basal lateral",
)  # fmt: skip
_ZOOM = 2  # screen pixels for one of the clip
_GREY_STEP = 8  # grey levels that the moving picture does not tell apart: a third of the bytes
_BAND = 14  # pixels for the words above a moving picture
_MIN_FRAME_MS = 20  # browsers slow shorter ones down to 100


def draw(
    out: Path,
    scored: Sequence[Scored],
    cases: pd.DataFrame,
    in_vivo: Sequence[Clip],
    filtered: Mapping[str, NDArray[np.float32]],
    max_frames: int,
) -> list[Figure]:
    """Write all pictures below ``out/figures``.

    Args:
        out: folder of the evaluation.
        scored: test clips with truth.
        cases: their table, same order first.
        in_vivo: clips without truth.
        filtered: what ours made of those, by name.
        max_frames: of a moving picture.
    """
    (out / "figures").mkdir(parents=True, exist_ok=True)
    typical = scored[picks(cases.iloc[: len(scored)], "mae")["median"]]
    figures = [_moving(out, typical, max_frames), _by_case(out, cases), _m_mode(out, typical)]
    with_strain = [one for one in scored if one.strain]
    if with_strain:
        figures.append(_strain_curves(out, with_strain, cases))
    if in_vivo:
        figures.append(_in_vivo(out, in_vivo[0], filtered[in_vivo[0].name]))
    return figures


def picks(cases: pd.DataFrame, metric: str) -> dict[str, int]:
    """Rows of the worst, the median and the best case, as the report's page names them."""
    ordered = cases.reset_index(drop=True).dropna(subset=[metric]).sort_values(metric).index
    return {
        "worst": int(ordered[-1]),
        "median": int(ordered[len(ordered) // 2]),
        "best": int(ordered[0]),
    }


def _panels(one: Scored) -> dict[str, NDArray]:
    """Cluttered, ours, clean and, where there is one, the authors' 3-D answer."""
    panels: dict[str, NDArray] = {
        "cluttered": cluttered_of(one.clip), "filtered (ours)": one.outputs["ours"],
        "clean (truth)": clean_of(one.clip),
    }  # fmt: skip
    if "paper_3d" in one.outputs:
        panels["authors' 3-D filter"] = one.outputs["paper_3d"]
    return panels


def _moving(out: Path, one: Scored, max_frames: int) -> Figure:
    """An endless GIF of one beat."""
    from PIL import Image, ImageDraw

    panels = _panels(one)
    count = len(one.clip)
    shown = np.unique(np.linspace(0, count, min(max_frames, count), endpoint=False).astype(int))
    width = one.clip.sector.shape[1] * _ZOOM
    pictures = []
    for frame in shown:
        row = np.concatenate([clip[frame].astype(np.float32) for clip in panels.values()], axis=1)
        grey = (np.rint(row / _GREY_STEP) * _GREY_STEP).clip(0, 255).astype(np.uint8)
        grey = grey.repeat(_ZOOM, axis=0).repeat(_ZOOM, axis=1)
        picture = Image.fromarray(np.pad(grey, ((_BAND, 0), (0, 0))))
        words = ImageDraw.Draw(picture)
        for place, name in enumerate(panels):
            words.text((place * width + 4, 1), name, fill=255)
        pictures.append(picture)
    beat_ms = one.clip.frame_time_ms * count if np.isfinite(one.clip.frame_time_ms) else 1000.0
    file = "figures/beat.gif"
    pictures[0].save(
        out / file,
        save_all=True,
        append_images=pictures[1:],
        duration=max(_MIN_FRAME_MS, round(beat_ms / len(shown))),
        loop=0,
    )
    names = ", ".join(panels)
    return Figure(
        file,
        f"One beat of the median test clip, {one.clip.name}, grey levels 0 to 255: {names}.",
        f"Moving ultrasound sector, side by side: {names}.",
    )


def _by_case(out: Path, cases: pd.DataFrame) -> Figure:
    """Error of each method on each clip, worst on top."""
    table = cases.dropna(subset=["mae"]).sort_values("mae", ignore_index=True)
    canvas = Canvas(figsize=(7.6, 1.8 + 0.28 * len(table)), layout="constrained")
    axes = canvas.subplots()
    rows = np.arange(len(table))
    for name, (grey, marker) in _STYLES.items():
        column = f"mae:{name}"
        if column in table:
            label = _NAMES.get(name, name)
            axes.plot(table[column], rows, marker, color=grey, label=label, ms=6)
    axes.plot(table["mae"], rows, "o", color=OURS, label="ours", ms=7)
    labels = table["case"] + " (" + table["vendor"] + ")"
    axes.set(xscale="log", yticks=rows, yticklabels=labels, ylim=(-0.6, len(table) - 0.4))
    axes.set_xlabel("mean absolute error (grey levels of 255)")
    axes.set_title(f"Error by clip, grey levels (lower is better), n = {len(table)}")
    axes.grid(axis="x", which="both", color="0.92")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    better = int((table["mae"] < table["mae:nothing"]).sum())
    return save_figure(
        canvas,
        out,
        "error_by_clip",
        f"Mean absolute error in grey levels by test clip, its vendor and method; ours is below "
        f"doing nothing in {better} of {len(table)} clips.",
        f"Dots on a logarithmic scale, one row for each of {len(table)} clips: ours in blue, other "
        "methods in greys.",
    )


def _m_mode(out: Path, one: Scored) -> Figure:
    """One column of the image over time, through the strongest clutter."""
    clean, cluttered = clean_of(one.clip), cluttered_of(one.clip)
    excess = (cluttered.astype(np.float32) - clean).mean(axis=(0, 1))  # (W,)
    column = int(excess.argmax())
    lines = {name: clip[:, :, column].T.astype(np.float32) for name, clip in _panels(one).items()}
    errors = {"cluttered − clean": lines["cluttered"] - lines["clean (truth)"],
              "ours − clean": lines["filtered (ours)"] - lines["clean (truth)"]}  # fmt: skip
    canvas = Canvas(figsize=(2.2 * (len(lines) + 2), 3.2), layout="constrained")
    axes = canvas.subplots(1, len(lines) + 2, sharex=True, sharey=True)
    for place, (name, line) in zip(axes, lines.items(), strict=False):
        grey = place.imshow(line, cmap="gray", vmin=0, vmax=255, aspect="auto")
        place.set_title(name, fontsize=9)
    for place, (name, line) in zip(axes[len(lines) :], errors.items(), strict=True):
        error = place.imshow(line, cmap="RdBu_r", vmin=-150, vmax=150, aspect="auto")
        place.set_title(name, fontsize=9)
    axes[0].set(xlabel="frame", ylabel="depth (pixels)")
    canvas.colorbar(grey, ax=axes[: len(lines)], label="grey level", shrink=0.8)
    canvas.colorbar(error, ax=axes[len(lines) :], label="error (grey levels)", shrink=0.8)
    canvas.suptitle(f"M-mode: column {column} of {one.clip.name} over one beat", fontsize=10)
    return save_figure(
        canvas,
        out,
        "m_mode",
        f"M-mode of {one.clip.name}: grey levels of image column {column}, where clutter is "
        "strongest, by depth in pixels and frame, and the error of input and filter.",
        "Depth over time as grey images: static clutter shows as a bright horizontal band in the "
        "input; the last two panels are errors, red too bright, blue too dark.",
    )


def _strain_curves(out: Path, scored: Sequence[Scored], cases: pd.DataFrame) -> Figure:
    """Strain of all segments of the clip where clutter does most harm."""
    by_name = cases.set_index("case")["strain_rmse:nothing"]
    one = max(scored, key=lambda s: float(by_name[s.clip.name]))
    canvas = Canvas(figsize=(9, 4.6), layout="constrained")
    axes = canvas.subplots(2, 4, sharex=True, sharey=True).ravel()
    curves = (
        ("truth", TRUTH, 2.0, "truth (exact)"), ("clean", "0.7", 1.0, "tracked on clean"),
        ("nothing", "0.45", 1.2, "tracked on cluttered"), ("ours", OURS, 1.4, "tracked on ours"),
    )  # fmt: skip
    for segment, title in enumerate(_SEGMENTS):
        for name, colour, line_width, label in curves:
            values = one.strain[name][:, segment]
            axes[segment].plot(values, color=colour, lw=line_width, label=label)
        axes[segment].set_title(title, fontsize=9)
    for place in (axes[0], axes[4]):
        place.set_ylabel("strain (%)")
    for place in axes[4:7]:
        place.set_xlabel("frame")
    axes[7].axis("off")
    axes[7].legend(*axes[0].get_legend_handles_labels(), loc="center", fontsize=8)
    row = cases.set_index("case").loc[one.clip.name]
    canvas.suptitle(
        f"Segmental strain of {one.clip.name}, RMSE {row['strain_rmse:nothing']:.1f} cluttered, "
        f"{row['strain_rmse']:.1f} ours, {row['strain_rmse:clean']:.1f} clean (% points)",
        fontsize=10,
    )
    return save_figure(
        canvas,
        out,
        "strain",
        f"Longitudinal strain in per cent of seven segments over one beat of {one.clip.name}, the "
        "test clip where clutter harms strain most: exact, and tracked on clean, cluttered and "
        "filtered frames.",
        "Seven small charts of strain over time; the blue curve of the filtered clip beside the "
        "black truth and the grey curves of the cluttered and clean clips.",
    )


def _in_vivo(out: Path, clip: Clip, filtered: NDArray[np.float32]) -> Figure:
    """Before, after and mean change of a real clip."""
    before = cluttered_of(clip).astype(np.float32)
    change = (filtered - before).mean(axis=0)
    canvas = Canvas(figsize=(8.4, 3.0), layout="constrained")
    axes = canvas.subplots(1, 3)
    for place, picture, name in ((axes[0], before[0], "frame 0 as recorded"),
                                 (axes[1], filtered[0], "frame 0 filtered")):  # fmt: skip
        place.imshow(picture, cmap="gray", vmin=0, vmax=255)
        place.set_title(name, fontsize=9)
    limit = max(1.0, float(np.abs(change).max()))
    shown = axes[2].imshow(change, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes[2].contour(near_field(clip.sector), levels=[0.5], colors="0.4", linewidths=0.8)
    axes[2].set_title("mean change over the clip", fontsize=9)
    canvas.colorbar(shown, ax=axes[2], label="grey levels")
    for place in axes:
        place.set(xticks=[], yticks=[])
    return save_figure(
        canvas,
        out,
        "in_vivo",
        f"Real clip {clip.name} before and after, and the mean change in grey levels; the outline "
        "is the near field. Nobody knows the truth: this is no error.",
        "Two ultrasound sectors, as recorded and filtered, and a map of the difference.",
    )
