"""Messages in buckets on disk."""

from __future__ import annotations

import os
import resource

import numpy as np

from domains.ais_trajectories.sources.spool import Spool, num_buckets


def test_the_largest_log_is_sorted_by_a_process_that_may_open_256_files(tmp_path):
    log = tmp_path / "log.nmea"
    log.touch()
    os.truncate(log, 1 << 33)  # a hole, no bytes on disk
    vessel = np.arange(2000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with Spool(tmp_path, num_buckets([log])) as spool:
            spool.append({"vessel": vessel})
            found = list(spool.buckets())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(found) > 100
    assert np.sort(np.concatenate([rows["vessel"] for rows in found])).tolist() == vessel.tolist()
