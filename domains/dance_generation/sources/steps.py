"""The steps that the parametric dancer knows: one key pose per beat.

Legend: C beats of a step (8 in common time, 6 in three-four), one value per beat and quantity.

Each step is a loop of key poses that the dancer reaches on the beats.  Lengths in m, angles in
degrees; x is the dancer's left, z forward, ``left``/``right`` the feet and arms.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Keys = dict[str, NDArray[np.float64]]

QUANTITIES = (
    "hips_x", "hips_z", "hips_turn", "lean", "twist", "nod",
    "left_foot_x", "left_foot_z", "left_foot_up", "right_foot_x", "right_foot_z", "right_foot_up",
    "left_arm_side", "left_arm_front", "left_elbow",
    "right_arm_side", "right_arm_front", "right_elbow",
)  # fmt: skip


def step_keys(name: str, beats: int) -> Keys:
    """Key poses of step ``name`` over ``beats`` (6 or 8): every quantity, (C,) each."""
    k = np.arange(beats)
    keys = {quantity: np.zeros(beats) for quantity in QUANTITIES}
    keys["left_arm_side"] += 20.0
    keys["right_arm_side"] += 20.0
    keys["left_elbow"] += 40.0
    keys["right_elbow"] += 40.0
    STEPS[name](keys, k, beats)
    return keys


def _side(keys: Keys, k: NDArray, beats: int) -> None:
    """Step to the side and close, to the left and back to the right, arms opening."""
    apart = (k % 2 == 0) * 1.0
    to_left = np.where(k % 4 < 2, 1.0, -1.0)
    # one foot at a time: left out, right after it, right out, left after it
    keys["left_foot_x"] += np.where(k % 4 == 3, -0.12, 0.12)
    keys["right_foot_x"] += np.where(k % 4 == 1, 0.12, -0.12)
    keys["hips_x"] += 0.5 * (keys["left_foot_x"] + keys["right_foot_x"])
    keys["lean"] += 6.0 * to_left * apart
    for side in ("left", "right"):
        keys[f"{side}_arm_side"] += 45.0 * apart
        keys[f"{side}_elbow"] -= 25.0 * apart


def _basic(keys: Keys, k: NDArray, beats: int) -> None:
    """Forward with the left and back, back with the right and forward; a clap on the held beat."""
    bar = beats // 2
    at, first = k % bar, k < bar
    out = at == 0
    keys["left_foot_z"] += 0.26 * (first & out)
    keys["right_foot_z"] -= 0.26 * (~first & out)
    keys["hips_z"] += 0.13 * (first & out) - 0.13 * (~first & out)
    tap = (at == 2) & (bar == 4)
    keys["right_foot_up"] += 0.05 * (first & tap)
    keys["left_foot_up"] += 0.05 * (~first & tap)
    keys["twist"] += 14.0 * np.where(at % 2 == 0, 1.0, -1.0)
    held = at == bar - 1
    for side in ("left", "right"):
        keys[f"{side}_arm_front"] += 30.0 + 25.0 * held
        keys[f"{side}_elbow"] += 40.0 + 20.0 * held
    keys["hips_turn"] += 8.0 * np.where(at % 2 == 0, 1.0, -1.0)


def _march(keys: Keys, k: NDArray, beats: int) -> None:
    """One knee up and down, then the other, the opposite arm swinging forward."""
    left = k % 4 < 2
    up = k % 2 == 0
    keys["left_foot_up"] += 0.20 * (left & up)
    keys["right_foot_up"] += 0.20 * (~left & up)
    keys["hips_x"] += np.where(left, -0.04, 0.04)
    keys["left_arm_front"] += np.where(left, -25.0, 45.0) * up
    keys["right_arm_front"] += np.where(left, 45.0, -25.0) * up
    keys["twist"] += np.where(left, -8.0, 8.0) * up


def _twist(keys: Keys, k: NDArray, beats: int) -> None:
    """Hips turn to and fro on feet that stand apart, shoulders against them."""
    way = np.where(k % 2 == 0, 1.0, -1.0)
    keys["left_foot_x"] += 0.08
    keys["right_foot_x"] -= 0.08
    keys["hips_turn"] += 24.0 * way
    keys["twist"] -= 40.0 * way
    keys["hips_x"] += 0.05 * way
    for side, sign in (("left", 1.0), ("right", -1.0)):
        keys[f"{side}_arm_front"] += 25.0 + 30.0 * sign * way
        keys[f"{side}_elbow"] += 30.0


def _reach(keys: Keys, k: NDArray, beats: int) -> None:
    """Both arms up and down, a dip of the body between, weight from foot to foot."""
    up = (k % 2 == 0) * 1.0
    way = np.where(k % 4 < 2, 1.0, -1.0)
    for side in ("left", "right"):
        keys[f"{side}_arm_side"] += 110.0 * up
        keys[f"{side}_elbow"] -= 20.0 * up
    keys["hips_x"] += 0.07 * way
    keys["lean"] -= 8.0 * way * up
    keys["nod"] += 12.0 * (1.0 - up)
    keys["left_foot_up"] += 0.06 * (way < 0) * up
    keys["right_foot_up"] += 0.06 * (way > 0) * up


STEPS: dict[str, Callable[[Keys, NDArray, int], None]] = {
    "side": _side,
    "basic": _basic,
    "march": _march,
    "twist": _twist,
    "reach": _reach,
}
