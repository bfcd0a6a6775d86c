"""Messages sorted into buckets by vessel on disk, so that each bucket fits into memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_BYTES_PER_BUCKET = 16 << 20  # of raw text: about 200,000 messages, 20 MB as arrays
_MAX_BUCKETS = 128  # files open at once; macOS allows a process 256
_PACKED_FACTOR = 8  # a packed file is that much larger when unpacked


def num_buckets(files: list[Path]) -> int:
    """How many buckets the messages in ``files`` need."""
    size = sum(
        file.stat().st_size * (_PACKED_FACTOR if file.suffix in (".gz", ".zip", ".parquet") else 1)
        for file in files
    )
    return int(np.clip(size // _BYTES_PER_BUCKET + 1, 1, _MAX_BUCKETS))


class Spool:
    """Appends blocks of columns; gives them back vessel by vessel.  A context manager.

    Args:
        folder: for its files, which exists.
        buckets: how many; a vessel's rows are all in one.
    """

    def __init__(self, folder: Path, buckets: int) -> None:
        self._paths = [folder / f"bucket-{number:03d}.arrow" for number in range(buckets)]
        self._writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def append(self, columns: Mapping[str, NDArray]) -> None:
        """Add rows, arrays (N,) by column with ``vessel`` among them."""
        bucket = columns["vessel"] % len(self._paths)
        for number in np.unique(bucket).tolist():
            rows = np.flatnonzero(bucket == number)
            batch = pa.record_batch({name: values[rows] for name, values in columns.items()})
            if number not in self._writers:
                self._writers[number] = pa.ipc.new_stream(str(self._paths[number]), batch.schema)
            self._writers[number].write_batch(batch)

    def buckets(self) -> Iterator[dict[str, NDArray]]:
        """Columns of each bucket, rows in the order they were added."""
        self._close()
        for path in self._paths:
            if not path.exists():
                continue
            with pa.ipc.open_stream(str(path)) as reader:
                table = reader.read_all()
            yield {name: table[name].to_numpy() for name in table.column_names}
            path.unlink()

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
