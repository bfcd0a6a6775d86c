"""The task: what is learned, how its loss is made, and how a trained one fills maps."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from domains import task as contract
from domains.cmb_inpainting.data import SkyData, Start
from domains.cmb_inpainting.models.mask_gated import MaskGatedNetwork
from domains.cmb_inpainting.models.medfe import Medfe
from domains.cmb_inpainting.models.pepsi import Pepsi
from domains.cmb_inpainting.models.precision import PrecisionNetwork
from domains.cmb_inpainting.models.similarity import ssim
from domains.cmb_inpainting.models.skyreconnet import SkyReconNet
from domains.cmb_inpainting.science.skies import Masks, SkySet, Universe
from domains.cmb_inpainting.science.sphere import from_faces, nside_of
from domains.errors import DataError
from domains.task import DataModule, warmup_cosine

_AT_ONCE = 16  # skies that a network fills in one go


def make_network(
    network: str, *, window: int, channels: int, dilations: Sequence[int], nside: int, lmax: int
) -> nn.Module:
    """The network of that name, not yet trained; it takes start, observed and distance."""
    return {
        "precision": lambda: PrecisionNetwork(window, nside, lmax),
        "mask_gated": lambda: MaskGatedNetwork(channels, dilations),
        "skyreconnet": lambda: SkyReconNet(channels, dilations),
        "pepsi": lambda: Pepsi(channels, dilations),
        "medfe": lambda: Medfe(channels),
    }[network]()


class Task(contract.Task):
    """A network that fills skies in µK; it sees them over their standard deviation.

    Args:
        network, window, channels, dilations, start, refine_steps: section ``model``.
        nside: of the skies.
        lmax: of their spectrum.
        **config: ``lr``, ``weight_decay``, ``max_steps``, ``ssim_weight``, ``average``.
    """

    sigma: Tensor

    def __init__(
        self,
        network: str,
        window: int,
        channels: int,
        dilations: Sequence[int],
        start: str,
        refine_steps: int,
        nside: int,
        lmax: int,
        **config: Any,
    ) -> None:
        size: dict[str, Any] = {
            "window": window,
            "channels": channels,
            "dilations": list(dilations),
            "nside": nside,
            "lmax": lmax,
        }
        super().__init__(network=network, start=start, refine_steps=refine_steps, **size, **config)
        self.network = make_network(network, **size)
        self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.register_buffer("sigma", torch.ones(()))
        self._errors: list[tuple[float, float]] = []
        self._start: tuple[NDArray[np.bool_], Start] | None = None

    @property
    def start(self) -> str:
        """The fill that the network corrects; the Markov field corrects none."""
        return "zero" if self.config["network"] == "precision" else self.config["start"]

    @property
    def is_refined(self) -> bool:
        """The network's fill is led on to the optimum by conjugate gradients."""
        return self.config["network"] == "precision" and self.config["refine_steps"] > 0

    # --- training ------------------------------------------------------------------------------

    def training_step(self, batch: Mapping[str, Tensor], _: int) -> Tensor:
        """Mean loss of the groups of a batch."""
        groups = [
            {key: value[number] for key, value in batch.items()}
            for number in range(len(batch["sky"]))
        ]
        loss = torch.stack([self._loss(group) for group in groups]).mean()
        self.log("loss", loss)
        return loss

    def _loss(self, group: Mapping[str, Tensor]) -> Tensor:
        """Mean square error in the mask over σ², and the dissimilarity of the faces."""
        observed, sky = group["observed"], group["sky"] / self.sigma
        filled = self.network(group["start"] / self.sigma, observed, group["distance"])
        loss = (filled - sky)[:, ~observed].square().mean()
        coarse = getattr(self.network, "coarse", None)
        if coarse is not None:  # PEPSI's second path, which fades out
            share = 1 - self.global_step / self.config["max_steps"]
            loss = loss + 0.5 * share * (coarse - sky)[:, ~observed].square().mean()
        if weight := self.config["ssim_weight"]:
            loss = loss + weight * (1 - ssim(filled, sky, 6.0).mean())
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Move the averaged weights towards the new ones."""
        step = self.global_step
        share = max(1 - self.config["average"], 1 / max(step, 1))
        with torch.no_grad():
            for old, new in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
                old.lerp_(new, share)

    def validation_step(self, batch: Mapping[str, Tensor], _: int) -> None:
        """Collects the errors of the averaged network."""
        group = {key: value[0] for key, value in batch.items()}
        filled = self.filled(group["start"], group["observed"], group["distance"])
        error = (filled - group["sky"])[:, ~group["observed"]].double()
        self._errors.append((float(error.square().mean()), float(error.abs().mean())))

    def on_validation_epoch_end(self) -> None:
        """Log the mean over masks of RMSE and MAE in the mask, µK."""
        errors, self._errors = self._errors, []
        self.log("val_loss", float(np.mean([math.sqrt(square) for square, _ in errors])))
        self.log("val_mae", float(np.mean([absolute for _, absolute in errors])))

    def configure_optimizers(self) -> Any:
        """AdamW; the rate rises over the first twentieth of the steps, then falls as a cosine."""
        optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.config["lr"],
            betas=(0.9, 0.99),
            weight_decay=self.config["weight_decay"],
        )
        steps = self.config["max_steps"]
        return warmup_cosine(optimizer, steps, rise=steps // 20)

    def set_statistics(self, universe: Universe) -> None:
        """Take the spread of the sky, and its spectrum for the Markov field, into the buffers."""
        spectrum = universe.spectra.mean(axis=0)
        ell = np.arange(len(spectrum))
        self.sigma.fill_(math.sqrt(((2 * ell + 1) * spectrum).sum() / (4 * math.pi)))
        for network in (self.network, self.averaged):
            if isinstance(network, PrecisionNetwork):
                network.spectrum.copy_(torch.from_numpy(spectrum))
                network.noise.fill_(universe.noise_uk)

    # --- use -----------------------------------------------------------------------------------

    @torch.no_grad()
    def filled(self, start: Tensor, observed: Tensor, distance: Tensor) -> Tensor:
        """Filled skies (S, 12, n, n), µK, by the averaged weights."""
        self.averaged.eval()
        parts = [
            self.averaged(part / self.sigma, observed, distance) * self.sigma
            for part in start.split(_AT_ONCE)
        ]
        return torch.where(observed, start, torch.cat(parts))

    def fill(
        self, maps: ArrayLike, mask: ArrayLike, refine_steps: int | None = None
    ) -> NDArray[np.float32]:
        """Filled maps (S, N), µK, RING; observed pixels as they were.

        Args:
            maps: (S, N), µK, RING; what they have behind the mask is not read.
            mask: (N,), true (1) where observed.
            refine_steps: instead of ``model.refine_steps``; 0 = the learned field alone.

        Raises:
            DataError: maps of another nside than the network's, or nothing is observed.
        """
        skies, is_observed = np.asarray(maps, dtype=np.float32), np.asarray(mask) > 0.5
        nside = nside_of(skies.shape[-1])
        if nside != self.config["nside"] and self.config["network"] == "precision":
            raise DataError(
                f"cmb_inpainting: maps of nside {nside}, but the model was trained at "
                f"{self.config['nside']}; train one with ingest.nside: {nside}"
            )
        if not is_observed.any():
            raise DataError(
                "cmb_inpainting: the mask leaves no pixel observed, nothing to fill from"
            )
        if self._start is None or not np.array_equal(self._start[0], is_observed):
            self._start = (is_observed.copy(), Start(is_observed, self.start))
        start, device = self._start[1], self.sigma.device
        given, seen = start(skies).to(device), start.observed.to(device)
        steps = self.config["refine_steps"] if refine_steps is None else refine_steps
        if steps and isinstance(self.averaged, PrecisionNetwork):
            found = torch.cat(
                [self.averaged.refined(part, seen, steps) for part in given.split(_AT_ONCE)]
            )
        else:
            found = self.filled(given, seen, start.distance.to(device))
        return np.where(is_observed, skies, from_faces(found.cpu().numpy()))


def build(
    dataset: Path | str, *, model: Mapping, train: Mapping, **_: Any
) -> tuple[Task, DataModule]:
    """Task and data for the dataset folder that ``ingest`` wrote.

    Args:
        dataset: the folder.
        model: section ``model``.
        train: section ``train``.

    Raises:
        DataError: a file is missing, a mask is empty, or a dilation is larger than a face.
    """
    universe = Universe.load(Path(dataset))
    reach = universe.nside // 4 if model["network"] == "pepsi" else universe.nside
    if model["network"] not in ("precision", "medfe") and max(model["dilations"]) > reach:
        raise DataError(
            f"cmb_inpainting: model.dilations has {max(model['dilations'])}, expected at most "
            f"{reach} pixels for {model['network']} at nside {universe.nside}"
        )
    torch.manual_seed(train["seed"])
    own = {key: train[key] for key in ("lr", "weight_decay", "max_steps", "ssim_weight", "average")}
    task = Task(**model, nside=universe.nside, lmax=universe.lmax, **own)
    task.set_statistics(universe)
    masks, validate = Masks.load(Path(dataset), "train"), SkySet.load(Path(dataset), "validate")
    return task, SkyData(universe, masks, validate, task.start, train)
