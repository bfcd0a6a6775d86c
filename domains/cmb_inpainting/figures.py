"""Pictures of an evaluation: maps, spectra, the gap closed, and errors across a hole.

Legend: S skies, N pixels in RING order, E bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from domains.cmb_inpainting.science import scores
from domains.cmb_inpainting.science.masks import distance_to_edge
from domains.cmb_inpainting.science.mollweide import mollweide
from domains.contract import Figure, save_figure

if TYPE_CHECKING:
    from domains.cmb_inpainting.evaluate import Filled

OURS = "tab:blue"
_STYLES = {
    "zero": ("0.8", ":", "zero"),
    "diffusive": ("0.5", "--", "diffusive"),
    "constrained_mean": ("black", "-", "constrained mean (bound)"),
    "constrained_realisation": ("0.3", "-.", "constrained realisation"),
    "field": (OURS, ":", "ours, learned field alone"),
    "ours": (OURS, "-", "ours"),
    "ours_realisation": (OURS, "-.", "ours, random fill"),
}


def draw(
    out: Path, found: Sequence[Filled], bands: Sequence[tuple[int, int]], scatter: NDArray
) -> list[Figure]:
    """Write all pictures below ``out/figures``.

    Args:
        out: folder of the evaluation.
        found: the masks of the test split with all fills.
        bands: first and last ℓ of each.
        scatter: relative cosmic variance of one sky's band power, (E,).
    """
    figures = [_maps(out, found[0]), _spectrum(out, found[:1], bands, scatter)]
    if "constrained_mean" in found[0].fills:
        figures.append(_gap(out, found))
    return [*figures, _across(out, found)]


def _maps(out: Path, one: Filled) -> Figure:
    """The first test sky: masked, filled, truth, and what is left."""
    truth, filled = one.truth[0], one.fills["ours"][0]
    limit = float(np.percentile(np.abs(truth), 99))
    error = np.where(one.mask, np.nan, filled - truth)
    panels: list[tuple[str, NDArray, str, float]] = [
        ("masked", np.where(one.mask, truth, np.nan), "viridis", limit),
        ("filled by ours", filled, "viridis", limit),
        ("truth", truth, "viridis", limit),
        ("ours − truth", error, "RdBu_r", limit),
    ]
    canvas = Canvas(figsize=(9, 5.4), layout="constrained")
    for axes, (title, sky, colours, top) in zip(canvas.subplots(2, 2).flat, panels, strict=True):
        image = axes.imshow(
            mollweide(sky), origin="lower", cmap=colours, vmin=-top, vmax=top, aspect="equal"
        )
        axes.set_title(title, fontsize=10)
        axes.axis("off")
        canvas.colorbar(image, ax=axes, orientation="horizontal", shrink=0.6, label="µK")
    canvas.suptitle(f"Temperature in µK behind mask {one.name}, first test sky")
    rmse = scores.pixel_scores(one.fills["ours"][:1], one.truth[:1], one.counts)["rmse"][0]
    return save_figure(
        canvas,
        out,
        "maps",
        f"The first test sky in µK, Galactic, Mollweide: masked, filled by ours, truth, and the "
        f"residual behind the mask (RMSE {rmse:.1f} µK).",
        "Four oval sky maps: with a gap, the gap filled, the true sky which looks like it but has "
        "more detail in the gap, and their difference, largest far from the edge of the gap.",
    )


def _spectrum(
    out: Path, found: Sequence[Filled], bands: Sequence[tuple[int, int]], scatter: NDArray
) -> Figure:
    """Band powers of each fill over those of the truth."""
    canvas = Canvas(figsize=(7.5, 4), layout="constrained")
    axes = canvas.subplots()
    truth = np.concatenate([one.powers["truth"] for one in found])
    centre = np.arange(len(bands), dtype=float)
    edges = np.append(centre - 0.5, centre[-1] + 0.5)
    band = 100 * np.append(scatter, scatter[-1]) / np.sqrt(len(found[0].truth))
    axes.fill_between(
        edges, -band, band, step="post", color="0.9", lw=0, label="cosmic variance of their mean"
    )
    # zero filling is off the scale: its steps at the edge make power at high ℓ
    names = [name for name in _STYLES if name in found[0].fills and name != "zero"]
    for place, name in enumerate(names):
        colour, _, label = _STYLES[name]
        powers = np.concatenate([one.powers[name] for one in found])
        axes.errorbar(
            centre + 0.1 * (place - (len(names) - 1) / 2),
            scores.bias_percent(powers, truth),
            scores.bias_error_percent(powers, truth),
            fmt="D" if name.endswith("realisation") else "o",
            color=colour,
            ms=5,
            lw=1,
            label=label,
        )
    axes.axhline(0, color="black", lw=0.6)
    axes.set(
        xticks=centre,
        xticklabels=[f"{low}–{high}" for low, high in bands],
        xlabel="multipole ℓ",
        ylabel="bias of D_ℓ (%)",
    )
    axes.set_title(f"Power of the filled sky, mask {found[0].name}, %, n = {len(truth)}")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return save_figure(
        canvas,
        out,
        "spectrum",
        f"Bias in % of mean D_ℓ of {len(truth)} filled full skies by band (bars: standard error); "
        "the grey band is the cosmic variance of the mean of so many skies.",
        "Points by multipole band: mean fills lie below zero, more so at high multipoles; random "
        "fills lie near zero.",
    )


def _gap(out: Path, found: Sequence[Filled]) -> Figure:
    """RMSE of ours between diffusive filling and the bound, for each mask."""
    canvas = Canvas(figsize=(7.5, 1.6 + 0.5 * len(found)), layout="constrained")
    axes = canvas.subplots()
    shares = []
    for place, one in enumerate(found):
        rmse = {
            name: scores.pooled(scores.pixel_scores(one.fills[name], one.truth, one.counts)["rmse"])
            for name in ("ours", "diffusive", "constrained_mean")
        }
        share = scores.gap_closed(rmse["ours"], rmse["diffusive"], rmse["constrained_mean"])
        shares.append(share)
        axes.barh(place, 100, color="0.9", height=0.5)
        axes.barh(place, share, color=OURS, height=0.5)
        text = f"{rmse['diffusive']:.1f} → {rmse['ours']:.1f}, bound {rmse['constrained_mean']:.1f}"
        axes.text(101, place, text + " µK", va="center", fontsize=8)
    axes.set(
        yticks=range(len(found)),
        yticklabels=[one.name for one in found],
        xlim=(min(0.0, *shares), 150),
        xticks=range(0, 101, 20),
        xlabel="gap closed (%)",
    )
    axes.set_title(
        "RMSE from diffusive filling (0) to the constrained mean (100); higher is better"
    )
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return save_figure(
        canvas,
        out,
        "gap_closed",
        f"Share in % of the gap between diffusive filling and the constrained mean that ours "
        f"closes, by mask, n = {len(found[0].truth)} skies each.",
        "One horizontal bar for each mask, blue as far as ours goes towards the bound at 100.",
    )


def _across(out: Path, found: Sequence[Filled]) -> Figure:
    """Error against the distance to the edge, all masks together."""
    canvas = Canvas(figsize=(7.5, 4), layout="constrained")
    axes = canvas.subplots()
    edges = np.array(scores.DISTANCE_EDGES_DEG)
    centre = (edges[:-1] + edges[1:]) / 2
    for name in ("zero", "diffusive", "constrained_mean", "field", "ours"):
        if name not in found[0].fills:
            continue
        rows = [
            scores.error_by_distance(
                one.fills[name] - one.truth, distance_to_edge(one.mask), one.counts
            )
            for one in found
        ]
        total, known = np.nansum(np.square(rows), 0), np.isfinite(rows).sum(0)
        value = np.sqrt(np.divide(total, known, out=np.full(len(total), np.nan), where=known > 0))
        colour, line, label = _STYLES[name]
        axes.plot(centre, value, line, color=colour, marker="o", ms=3, label=label)
    axes.set(xlabel="distance to the edge of the mask (deg)", ylabel="RMS error (µK)")
    axes.set_ylim(bottom=0)
    axes.set_title("Error against the depth in the hole, µK (lower is better)")
    axes.legend(fontsize=8)
    return save_figure(
        canvas,
        out,
        "error_by_depth",
        f"RMS error in µK against the distance to the edge of the mask, "
        f"{len(found[0].truth)} skies behind {len(found)} mask(s).",
        "Curves rise from the edge inwards to the spread of the sky; ours lies close to the "
        "constrained mean, below diffusive filling.",
    )
