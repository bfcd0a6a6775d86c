"""What is known of a recording beyond its readings.

Legend: N samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.imu_attitude.science.quaternions import Array
from domains.imu_attitude.science.recording import Recording


def reference_of(recording: Recording) -> Array:
    """The true attitude (N, 4), NaN where it was lost.

    Raises:
        DataError: it was never measured.
    """
    if recording.reference is None:
        raise DataError(
            f"imu_attitude: {recording.name}: no reference attitude; set "
            "ingest.files.columns.reference"
        )
    return recording.reference.astype(np.float64)


def moving_of(recording: Recording) -> NDArray[np.bool_]:
    """Samples (N,) that count for the error; all of them where nothing is marked."""
    if recording.moving is None:
        return np.ones(len(recording), dtype=bool)
    return recording.moving
