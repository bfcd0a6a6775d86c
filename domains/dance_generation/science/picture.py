"""A dancer as a stick figure, and the beat as a lamp: frames of a film.

Legend: F frames, J joints, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from domains.dance_generation.science.skeleton import Skeleton, body_joints

Colour = tuple[int, int, int]

BLUE, BLACK, WHITE, GREY = (31, 119, 180), (0, 0, 0), (255, 255, 255), (200, 200, 200)
LAMP = (255, 127, 14)

_ROOM_M = 0.25  # left free around the dance
_HEAD_M = 0.09  # radius of the disc that stands for the head
_GLOW_S = 0.12  # the lamp dims to nothing


@dataclass(frozen=True)
class Stage:
    """What part of the world a picture shows, seen from the front.

    Args:
        left_m, bottom_m: of the picture's lower left corner.
        pixels_per_m: scale.
        height: H.
        width: W.
    """

    left_m: float
    bottom_m: float
    pixels_per_m: float
    height: int
    width: int

    @staticmethod
    def around(dances: Sequence[NDArray], height: int) -> Stage:
        """The stage on which all ``dances`` (F, J, 3) in m can be seen whole; sizes are even."""
        points = np.concatenate([dance.reshape(-1, 3) for dance in dances])
        low, high = points.min(axis=0) - _ROOM_M, points.max(axis=0) + _ROOM_M
        scale = height / (high[1] - low[1])
        width = 2 * max(1, round((high[0] - low[0]) * scale / 2))
        return Stage(float(low[0]), float(low[1]), float(scale), height, width)

    def place(self, positions: NDArray) -> NDArray[np.float64]:
        """Column and row (..., 2) of ``positions`` (..., 3) in m."""
        column = (positions[..., 0] - self.left_m) * self.pixels_per_m
        row = self.height - (positions[..., 1] - self.bottom_m) * self.pixels_per_m
        return np.stack([column, row], -1)


def bones_of(skeleton: Skeleton) -> list[tuple[int, int]]:
    """Pairs of parent and child among the joints that carry the dance."""
    body = set(body_joints(skeleton))
    return [(up, j) for j, up in enumerate(skeleton.parents) if up in body and j in body]


def head_of(skeleton: Skeleton) -> int | None:
    """The joint of the head, if one is named so."""
    return next((j for j, name in enumerate(skeleton.names) if name.lower() == "head"), None)


def glow(beats_s: NDArray, times_s: NDArray) -> NDArray[np.float64]:
    """Brightness (F,) of the lamp: 1 on a beat, 0 after 0.12 s."""
    last = np.searchsorted(beats_s, np.asarray(times_s) + 1e-9, "right") - 1
    since = np.where(last >= 0, times_s - np.asarray(beats_s)[np.maximum(last, 0)], np.inf)
    return np.clip(1.0 - since / _GLOW_S, 0.0, 1.0)


def film(
    stage: Stage,
    skeleton: Skeleton,
    dances: Sequence[tuple[NDArray, Colour]],
    light: NDArray,
) -> Iterator[NDArray[np.uint8]]:
    """Pictures (H, n·W, 3), one per frame: the dances side by side, a lamp in the corner.

    Args:
        stage: that all dances fit on.
        skeleton: of the dancers.
        dances: positions (F, J, 3) in m and the colour of each of the n dancers.
        light: (F,) brightness of the lamp.
    """
    bones, head = bones_of(skeleton), head_of(skeleton)
    thick = max(2, stage.height // 110)
    floor = stage.place(np.zeros(3))[1]
    radius = stage.height / 24
    for frame, brightness in enumerate(light):
        image = Image.new("RGB", (stage.width * len(dances), stage.height), WHITE)
        draw = ImageDraw.Draw(image)
        draw.line((0, floor, image.width, floor), GREY)
        shade = tuple(round(255 + brightness * (c - 255)) for c in LAMP)
        draw.ellipse((radius, radius, 3 * radius, 3 * radius), fill=shade, outline=GREY)
        for number, (positions, colour) in enumerate(dances):
            points = stage.place(positions[frame]) + np.array([number * stage.width, 0.0])
            if head is not None:
                (x, y), size = points[head], _HEAD_M * stage.pixels_per_m
                draw.ellipse((x - size, y - size, x + size, y + size), fill=colour)
            for up, joint in bones:
                draw.line((*points[up], *points[joint]), colour, thick)
        yield np.asarray(image)
