"""A coast to draw tracks on: Natural Earth's, 1:110,000,000, where a wheel of pyogrio brings it.

The file is a test fixture of pyogrio (public domain, https://www.naturalearthdata.com), no part of
its interface: where it is absent, figures go without a coast and say so.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FILE = "tests/fixtures/naturalearth_lowres/naturalearth_lowres.shp"


@cache
def coastline() -> tuple[NDArray[np.float64], ...]:
    """Rings (n, 2) of longitude and latitude in degrees; none where the file is absent."""
    spec = find_spec("pyogrio")
    if spec is None or spec.origin is None:
        return ()
    path = Path(spec.origin).parent / _FILE
    if not path.is_file():
        return ()
    import geopandas

    shapes = geopandas.read_file(path).geometry.explode(index_parts=False)
    return tuple(np.asarray(shape.exterior.coords)[:, :2] for shape in shapes)
