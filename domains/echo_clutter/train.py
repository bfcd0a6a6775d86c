"""The task: what is learned, how its loss is made, and how a trained one filters a clip.

Legend: B batch, T frames, H depth, W width.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from domains import task as contract
from domains.echo_clutter.data import EchoData, load_pairs
from domains.echo_clutter.models.beat_filter import BeatFilter
from domains.echo_clutter.models.clutter_filter import WHITE, ClutterFilter, in_blocks
from domains.echo_clutter.models.discriminator import Discriminator, adversarial_losses
from domains.errors import DataError
from domains.task import DataModule, warmup_cosine

_MAX_FRAMES = 64  # filtered at a time by the paper's networks; their answer does not depend on it
_EDGE_STEP = 4  # pixels, about a grain of speckle


class Task(contract.Task):
    """A clutter filter; clips in and out are grey levels 0 to 255.

    Args:
        network: ``beat`` (ours), ``paper_3d`` or ``paper_2d``.
        beat: section ``model.beat``.
        paper: section ``model.paper``.
        **config: keys of the section ``train`` that ``build`` passes on.
    """

    def __init__(self, network: str, beat: Mapping, paper: Mapping, **config: Any) -> None:
        super().__init__(network=network, beat=beat, paper=paper, **config)
        self.network = network
        self.model: BeatFilter | ClutterFilter
        if network == "beat":
            self.model = BeatFilter(**beat)
        else:
            self.model = ClutterFilter(kernel_t=3 if network == "paper_3d" else 1, **paper)
        self.discriminator: Discriminator | None = None
        if config["adversarial_weight"] > 0:
            self.discriminator = Discriminator(width=paper["width"])

    @property
    def divisor(self) -> int:
        """Depth and width that the network takes are multiples of it."""
        if self.network == "beat":
            beat = self.config["beat"]
            return beat["scale"] * 2 ** (len(beat["widths"]) - 1)
        return 2 ** (self.config["paper"]["levels"] - 1)

    # --- training ------------------------------------------------------------------------------

    def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
        """Error of the unclipped answer, in units of the grey scale (or its square)."""
        clean = batch["clean"]
        filtered = self.model(batch["cluttered"]).float()
        error = F.l1_loss if self.config["loss"] == "mae" else F.mse_loss
        loss = error(filtered / WHITE, clean / WHITE)
        if (edges := self.config["edge_weight"]) > 0:
            loss = loss + edges * edge_error((filtered - clean) / WHITE)
        if self.discriminator is not None:
            weight = self.config["adversarial_weight"]
            fooled, judged = adversarial_losses(
                self.discriminator, filtered, clean, batch["cluttered"]
            )
            self.log_dict({"loss_error": loss, "loss_fooled": fooled, "loss_judged": judged})
            loss = (1 - weight) * loss + weight * fooled + judged
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: dict[str, Tensor], _: int) -> None:
        """Logs ``val_loss``, the mean absolute error in grey levels, mean over clips."""
        filtered = self(batch["cluttered"])
        self.log("val_loss", (filtered - batch["clean"]).abs().mean(), batch_size=1)

    def configure_optimizers(self) -> Any:
        """AdamW; the rate rises over the first tenth of the steps, then falls as a cosine."""
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.config["lr"], weight_decay=self.config["weight_decay"]
        )
        steps = self.config["max_steps"]
        return warmup_cosine(optimizer, steps, rise=steps // 10)

    # --- use -----------------------------------------------------------------------------------

    def forward(self, x: Tensor) -> Tensor:
        """Filtered clips (B, T, H, W), 0 to 255; sizes that do not fit are padded with black."""
        height, width = x.shape[-2:]
        padded = F.pad(x, (0, -width % self.divisor, 0, -height % self.divisor))
        if isinstance(self.model, ClutterFilter):
            found = in_blocks(self.model, padded, self.model.reach, _MAX_FRAMES)
        else:
            found = self.model(padded)
        return found[..., :height, :width].float().clamp(0, WHITE)

    def filter(self, clip: ArrayLike, sector: ArrayLike | None = None) -> NDArray[np.float32]:
        """The clip (T, H, W) without clutter, grey levels 0 to 255.

        Args:
            clip: (T, H, W) grey levels 0 to 255, evenly spaced in time, one beat or more.
            sector: (H, W) true where the image is; elsewhere the clip stays as it is.

        Raises:
            DataError: not a clip of grey levels.
        """
        frames = np.asarray(clip)
        if frames.ndim != 3 or not frames.size:
            raise DataError(f"echo_clutter: a clip is (time, depth, width), found {frames.shape}")
        frames = frames.astype(np.float32)
        if not np.isfinite(frames).all() or frames.min() < 0 or frames.max() > WHITE:
            raise DataError(
                f"echo_clutter: grey levels from {frames.min():g} to {frames.max():g}, expected 0 "
                "to 255; scale the clip"
            )
        self.eval()
        device = next(self.parameters()).device
        with torch.inference_mode():
            found = self(torch.from_numpy(frames)[None].to(device))[0].cpu().numpy()
        if sector is not None:
            found = np.where(np.asarray(sector, bool), found, frames)
        return found


def edge_error(error: Tensor) -> Tensor:
    """Mean absolute difference of the error (..., H, W) between pixels ``_EDGE_STEP`` apart.

    What is left of clutter is smooth, yet its slope, standing still, holds tracked speckle back.
    """
    down = error[..., _EDGE_STEP:, :] - error[..., :-_EDGE_STEP, :]
    right = error[..., _EDGE_STEP:] - error[..., :-_EDGE_STEP]
    return (down.abs().mean() + right.abs().mean()) / 2


def build(
    dataset: Path | str, *, model: Mapping, train: Mapping, **_: Any
) -> tuple[Task, DataModule]:
    """Task and data for the dataset folder that ``ingest`` wrote.

    Args:
        dataset: the folder.
        model: section ``model``.
        train: section ``train``.

    Raises:
        DataError: no clean clips, or clips of a size that the network cannot take.
    """
    clips = {split: load_pairs(dataset, split) for split in ("train", "validate")}
    torch.manual_seed(train["seed"])
    keys = ("lr", "weight_decay", "max_steps", "loss", "adversarial_weight", "edge_weight")
    task = Task(**model, **{key: train[key] for key in keys})
    for clip in (*clips["train"], *clips["validate"]):
        if any(size % task.divisor for size in clip.sector.shape):
            raise DataError(
                f"echo_clutter: clips of {clip.sector.shape} pixels, network {task.network} takes "
                f"multiples of {task.divisor}; set ingest.size or the number of its resolutions"
            )
    return task, EchoData(clips["train"], clips["validate"], train, task.network == "beat")
