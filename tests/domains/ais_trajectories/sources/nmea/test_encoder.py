"""What is encoded is decoded to the same, to the last digit that the format has."""

from collections import Counter

import numpy as np
import pytest

from domains.ais_trajectories.sources.nmea.encoder import encode, fill_bits, sentences
from domains.ais_trajectories.sources.nmea.fields import MESSAGES, NOT_AVAILABLE
from domains.ais_trajectories.sources.nmea.reader import read_nmea

NUM = 300


def drawn(kind: int) -> dict:
    """Quantities of messages all over their ranges, sentinels among them."""
    random = np.random.default_rng(kind)
    ranges = {
        "longitude": (-180, 180),
        "latitude": (-90, 90),
        "sog_kn": (0, 60),
        "cog_deg": (0, 359.9),
        "heading_deg": (0, 359),
        "rot_deg_min": (-700, 700),
        "status": (0, 15),
        "ship_type": (1, 99),
        "part": (1, 1),
    }
    columns = {"vessel": random.integers(200_000_000, 800_000_000, NUM)}
    for name, field in MESSAGES[kind].items():
        steps = random.uniform(*ranges[name], NUM) / field.scale
        columns[name] = np.trunc(steps) * field.scale
        if name in NOT_AVAILABLE and kind not in (9, 27):
            columns[name][:5] = NOT_AVAILABLE[name]
    return columns


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 18, 19, 21, 24, 27])
def test_messages_survive_being_encoded(kind, tmp_path):
    columns = drawn(kind)
    time_s = 1.7e9 + np.arange(NUM) * 61.001
    lines = sentences(encode(kind, columns), time_s, "A", fill_bits(kind), 3)
    (tmp_path / "log").write_bytes(b"".join(lines))
    rejected: Counter[str] = Counter()
    (found,) = read_nmea(tmp_path / "log", rejected)
    assert sum(rejected.values()) == 0
    assert (found["message_type"] == kind).all()
    np.testing.assert_array_equal(found["vessel"], columns["vessel"])
    np.testing.assert_allclose(found["time_s"], time_s, atol=1e-3)
    for name, field in MESSAGES[kind].items():
        if name in found:
            # the rate of turn is sent as its square root: ± half a step of that
            tolerance = field.scale / 2 + 1e-9 if name != "rot_deg_min" else 6.0
            np.testing.assert_allclose(found[name], columns[name], atol=tolerance)


def test_lines_are_no_longer_than_nmea_allows():
    lines = sentences(encode(5, drawn(5)), np.full(NUM, 1.7e9), "B", fill_bits(5), 7)
    for line in b"".join(lines).split(b"\r\n"):
        assert len(line.rpartition(b"\\")[2]) <= 80
