"""The task: what is learned, how its loss is made, and how a trained one dances.

Legend: B dances, F frames, T frames of a sequence, D numbers of a pose, J joints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from domains import task as contract
from domains.dance_generation.data import Cues, DanceData, danced, load_dances
from domains.dance_generation.models.dancers import LOSS_WEIGHTS, Dancer, make_dancer
from domains.dance_generation.models.decoding import decode
from domains.dance_generation.models.pose import PoseCodec
from domains.dance_generation.models.step_table import StepTable
from domains.dance_generation.models.streaming import DanceStream, Performance
from domains.dance_generation.science.beat_scores import f_measure
from domains.dance_generation.science.cycle import cycle_of
from domains.dance_generation.science.dance import Facts, Motion, Pair, moving_joints
from domains.dance_generation.science.motion_beats import motion_beats
from domains.dance_generation.science.skeleton import body_joints
from domains.dance_generation.science.spectrum import num_bins, num_sub_frames, power_frames
from domains.errors import DataError
from domains.task import DataModule, warmup_cosine


class Task(contract.Task):
    """A dancer, and beside it those it is compared with, trained on the same sequences.

    Args:
        network: ``phase``, ``audio``, ``paper_cnn`` or ``paper_residual``.
        companions: networks that are trained beside it as baselines.
        facts: ``skeleton`` (as its ``to_json``), ``steps``, ``fps``, ``audio_rate_hz``.
        moving: joints that move.
        sizes: sections ``hidden``, ``loudness``, ``paper`` of ``model``.
        **config: keys of the section ``train`` that ``build`` passes on.
    """

    step_score: Tensor

    def __init__(
        self,
        network: str,
        companions: Sequence[str],
        facts: Mapping[str, Any],
        moving: Sequence[int],
        sizes: Mapping[str, Any],
        **config: Any,
    ) -> None:
        super().__init__(
            network=network, companions=list(companions), facts=facts, moving=list(moving),
            sizes=sizes, **config,
        )  # fmt: skip
        self.network = network
        self.facts = Facts.from_json(facts)
        self.codec = PoseCodec(len(self.facts.skeleton), moving)
        self.table = StepTable(len(self.facts.steps), self.codec.size)
        names = dict.fromkeys((network, *companions))
        self.dancers = nn.ModuleDict(
            {
                name: cast(
                    nn.Module,
                    make_dancer(
                        name,
                        self.codec.size,
                        len(self.facts.steps),
                        num_bins(self.facts.audio_rate_hz),
                        num_sub_frames(self.facts.audio_rate_hz, self.facts.fps),
                        sizes,
                    ),
                )
                for name in names
            }
        )
        self.register_buffer("step_score", torch.zeros(len(self.facts.steps)))

    @property
    def companions(self) -> list[str]:
        """Networks that were trained beside ours."""
        return [name for name in self.dancers if name != self.network]

    def dancer(self, name: str | None = None) -> Dancer:
        """The network ``name``; ``None`` = ours."""
        return cast(Dancer, self.dancers[name or self.network])

    def _all(self) -> dict[str, Dancer]:
        return {name: self.dancer(name) for name in self.dancers}

    # --- training ------------------------------------------------------------------------------

    def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
        """Sum of the losses; companions learn at every other step, from a part of the batch."""
        losses = {}
        for name, dancer in self._all().items():
            part = batch
            if name != self.network:
                if self.global_step % 2:
                    continue
                num = self.config["companion_batch"]
                part = {key: value[:num] for key, value in batch.items()}
            found = dancer.losses(self._scaled(dancer, part["pose"]), self._cues(dancer, part))
            losses[name] = torch.stack([LOSS_WEIGHTS[k] * v for k, v in found.items()]).sum()
            self.log_dict({f"{key}_{name}": value for key, value in found.items()})
        loss = torch.stack(list(losses.values())).sum()
        self.log("train_loss", losses[self.network])
        return loss

    def validation_step(self, batch: dict[str, Tensor], _: int) -> None:
        """Logs ``val_loss``: the companions have their say in the choice of the weights.

        Each network dances from the first pose on; its mean squared error, in deviations.
        """
        errors = {}
        for name, dancer in self._all().items():
            frames = self._scaled(dancer, batch["pose"])
            signal, _heard = dancer.signal(self._cues(dancer, batch))
            made, _state = decode(dancer.decoder, frames[:, :1], signal[:, 1:])
            back = self.codec.from_bounded if dancer.is_bounded else self.codec.from_standard
            error = self.codec.standard(back(made)) - self.codec.standard(batch["pose"][:, 1:])
            errors[name] = error.square().mean()
        self.log_dict({f"val_loss_{name}": error for name, error in errors.items()})
        self.log("val_loss", torch.stack(list(errors.values())).mean())

    def _scaled(self, dancer: Dancer, pose: Tensor) -> Tensor:
        return self.codec.bounded(pose) if dancer.is_bounded else self.codec.standard(pose)

    def _cues(self, dancer: Dancer, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        cues = {key: batch[key] for key in ("passed", "cycle", "step")}
        if dancer.hears:
            num = batch["pose"].shape[1]
            cues["spectrum"] = self._spectrum(batch["audio"], num)
        return cues

    def _spectrum(self, audio: Tensor, num_frames: int) -> Tensor:
        facts, loudness = self.facts, self.config["sizes"]["loudness"]
        return power_frames(audio, num_frames, facts.audio_rate_hz, facts.fps, loudness)

    def configure_optimizers(self) -> Any:
        """AdamW; the rate rises over the first tenth of the steps, then falls as a cosine.

        The paper's networks: Adam with β₁ = 0.5 and AMSGrad, as the authors, when trained alone.
        """
        rate, decay = self.config["lr"], self.config["weight_decay"]
        if self.network.startswith("paper"):
            optimizer: torch.optim.Optimizer = torch.optim.Adam(
                self.parameters(), lr=rate, betas=(0.5, 0.999), amsgrad=True, weight_decay=decay
            )
        else:
            optimizer = torch.optim.AdamW(self.parameters(), lr=rate, weight_decay=decay)
        steps = self.config["max_steps"]
        return warmup_cosine(optimizer, steps, rise=steps // 10)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip each network by itself (a companion's gradient is none of ours), then add noise."""
        for dancer in self._all().values():
            if gradient_clip_val:
                nn.utils.clip_grad_norm_(dancer.parameters(), gradient_clip_val)
        if self.config["gradient_noise"]:
            # A. Neelakantan et al., arXiv:1511.06807, as in the authors' framework
            size = (self.config["gradient_noise"] / (1 + self.global_step) ** 0.55) ** 0.5
            for weight in self.parameters():
                if weight.grad is not None:
                    weight.grad.add_(size * torch.randn_like(weight.grad))

    def set_statistics(self, pairs: Sequence[Pair]) -> None:
        """Take pose statistics and the mean steps from the training ``pairs`` into the buffers."""
        dances = [danced(pair, self.codec.moving) for pair in pairs]
        vectors = np.concatenate([dance.vectors for dance in dances])
        still = torch.from_numpy(pairs[0].rotations[0])
        self.codec.set_statistics(torch.from_numpy(vectors.astype(np.float32)), still)
        self.table.fill(dances)
        for step in self.table.known_steps:
            self.step_score[step] = self._loop_score(step, [dance.cycle for dance in dances])

    def _loop_score(self, step: int, cycles: Sequence[int]) -> float:
        """Strict F of the mean step, danced over and over at 120 BPM to the commonest metre."""
        cycle = max(sorted(set(cycles)), key=list(cycles).count)
        times_s = np.arange(round(20.0 * self.facts.fps)) / self.facts.fps
        passed = 2.0 * times_s
        motion = self.loop(Cues(passed, cycle, np.full(len(passed), step)))
        beats_s = motion_beats(self.body(motion), self.facts.fps)
        return f_measure(np.arange(0.0, 20.0, 0.5), beats_s)

    # --- use -----------------------------------------------------------------------------------

    def perform(self, cues: Cues, name: str | None = None) -> Performance:
        """The dance of network ``name`` (``None`` = ours) before its first frame.

        It begins with the mean pose of the step at the place in the step where the music begins;
        a dancer that hears is not told the place and begins with the step.
        """
        self.eval()
        dancer = self.dancer(name)
        place = np.zeros(1) if dancer.hears else cues.passed[:1]
        first = self.table.at(cues.step[:1], cues.cycle, place)[0]
        return Performance(dancer, self.codec, first)

    def loop(self, cues: Cues) -> Motion:
        """The mean step of the training dances, played over and over to ``cues``: a baseline."""
        root, rotations = self.codec.motion(self.table.at(cues.step, cues.cycle, cues.passed))
        return Motion(root.double().numpy(), rotations.double().numpy())

    def body(self, motion: Motion) -> NDArray[np.float64]:
        """Positions (F, body joints, 3) in m of the joints that carry the dance."""
        skeleton = self.facts.skeleton
        return motion.positions(skeleton)[:, list(body_joints(skeleton))]

    def dance(self, cues: Cues, name: str | None = None) -> Motion:
        """The whole dance to ``cues``.

        Raises:
            DataError: a network that hears is given no sound.
        """
        spectrum = None
        if self.dancer(name).hears:
            if cues.audio is None:
                raise DataError("dance_generation: this network hears, expected audio; give some")
            spectrum = self._spectrum(torch.from_numpy(cues.audio), len(cues))
        return self.perform(cues, name).go_on(cues.passed, cues.cycle, cues.step, spectrum)

    def stream(
        self,
        bpm: float = 120.0,
        offset_s: float = 0.0,
        step: str | None = None,
        beats_per_bar: int = 4,
    ) -> DanceStream:
        """The dance to music that comes in chunks of samples at ``facts.audio_rate_hz``.

        Args:
            bpm: tempo; a network that hears does not use it.
            offset_s: s, first beat of a bar.
            step: name of the step; ``None`` = the one that keeps time best.
            beats_per_bar: the metre.
        """
        cycle, index = cycle_of(beats_per_bar), self.step_index(step)
        dancer = self.dancer()

        def passed_at(times_s: NDArray) -> NDArray:
            return (times_s - offset_s) * (bpm / 60.0)

        begin = Cues(passed_at(np.zeros(1)), cycle, np.array([index]))
        return DanceStream(
            self.perform(begin),
            passed_at,
            cycle,
            index,
            self.facts.audio_rate_hz,
            self.facts.fps,
            self.config["sizes"]["loudness"] if dancer.hears else None,
        )

    def step_index(self, name: str | None) -> int:
        """Index of the step ``name``; of ``None``, the one that kept time best in training.

        Raises:
            DataError: no such step was danced in training.
        """
        if name is None:
            return int(self.step_score.argmax())
        known = [self.facts.steps[index] for index in self.table.known_steps]
        if name not in known:
            raise DataError(
                f"dance_generation: no step {name} was trained, expected one of "
                f"{', '.join(known)}; correct evaluate.predict.step"
            )
        return self.facts.steps.index(name)


def build(
    dataset: Path | str, *, model: Mapping, train: Mapping, **_: Any
) -> tuple[Task, DataModule]:
    """Task and data for the dataset folder that ``ingest`` wrote.

    Args:
        dataset: the folder.
        model: section ``model``.
        train: section ``train``.

    Raises:
        DataError: nothing to train on, or dances shorter than a sequence.
    """
    facts, pairs = load_dances(dataset)
    moving = np.flatnonzero(moving_joints(pairs["train"])).tolist()
    torch.manual_seed(train["seed"])
    keys = ("lr", "weight_decay", "max_steps", "companion_batch", "gradient_noise")
    sizes = {key: model[key] for key in ("hidden", "loudness", "paper")}
    task = Task(
        model["network"],
        model["companions"],
        facts.to_json(),
        moving,
        sizes,
        **{key: train[key] for key in keys},
    )
    task.set_statistics(pairs["train"])
    hears = any(task.dancer(name).hears for name in task.dancers)
    data = DanceData(
        pairs["train"], pairs["validate"], facts, moving, train,
        hears=hears, pauses=task.dancer().hears,
    )  # fmt: skip
    return task, data
