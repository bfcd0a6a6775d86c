"""Runs the Held–Suarez world whose record ships as ``source: sample``.

I. M. Held, M. J. Suarez, "A proposal for the intercomparison of the dynamical cores of atmospheric
general circulation models", BAMS 75, 1994: a dry atmosphere over flat ground, pulled towards a
temperature that depends on latitude and height alone.  Dynamical core: dinosaur (Google,
Apache-2.0; D. Kochkov et al., "Neural general circulation models", Nature 2024), spectral T21,
eight sigma layers.  Needs the extra ``sim`` (``pip install 'convoy[sim]'``); about 75 CPU s::

    python -m domains.weather.sources.simulation held_suarez_t21.nc

Jets, fronts and storms are there; seasons, land, moisture and the day are not.

Legend: T times, K layers from the top, M longitudes, N latitudes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.weather.sources.spectral import write_record

GAS_CONSTANT = 287.0  # J kg⁻¹ K⁻¹, dry air, as in Held & Suarez
LEVELS_HPA = {"z": (500,), "t": (850, 925), "u": (250, 850), "v": (850,)}
LAYERS = 8
TIME_STEP_MINUTES = 30
STEP_H = 6
SPIN_UP_DAYS = 200  # as Held & Suarez discard
SEED = 0


def main() -> None:
    """Command line: simulate and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--days", type=int, default=300, help="length of the record")
    arguments = parser.parse_args()
    model = core()
    fields, latitude = simulate(model, arguments.days)
    write_record(arguments.output, fields, latitude, STEP_H)


def core() -> dict[str, Any]:
    """The dynamical core: coordinates, units, a step of six hours, and a state at rest."""
    import jax
    from dinosaur import (
        coordinate_systems,
        held_suarez,
        primitive_equations,
        primitive_equations_states,
        scales,
        sigma_coordinates,
        spherical_harmonic,
        time_integration,
        xarray_utils,
    )

    units = scales.units
    coords = coordinate_systems.CoordinateSystem(
        spherical_harmonic.Grid.T21(), sigma_coordinates.SigmaCoordinates.equidistant(LAYERS)
    )
    specs = primitive_equations.PrimitiveEquationsSpecs.from_si()
    start, features = primitive_equations_states.isothermal_rest_atmosphere(
        coords, specs, p0=1e5 * units.pascal, p1=5e3 * units.pascal
    )
    reference = features[xarray_utils.REF_TEMP_KEY]
    dry = primitive_equations.PrimitiveEquations(
        reference, np.zeros(coords.horizontal.modal_shape), coords, specs
    )
    forcing = held_suarez.HeldSuarezForcing(coords, specs, reference)
    equation = time_integration.compose_equations([dry, forcing])
    dt = specs.nondimensionalize(TIME_STEP_MINUTES * units.minute)
    step = time_integration.step_with_filters(
        time_integration.imex_rk_sil3(equation, dt),
        [time_integration.exponential_step_filter(coords.horizontal, dt)],
    )
    six_hours = jax.jit(time_integration.repeated(step, STEP_H * 60 // TIME_STEP_MINUTES))
    diagnose = jax.jit(lambda state: primitive_equations.compute_diagnostic_state(state, coords))
    nodal = jax.jit(coords.horizontal.to_nodal)
    return {
        "start": start(jax.random.PRNGKey(SEED)),
        "step": six_hours,
        "diagnose": diagnose,
        "nodal": nodal,
        "coords": coords,
        "reference": np.asarray(reference),
        "metre_per_second": float(specs.dimensionalize(1.0, units.meter / units.second).magnitude),
        "kelvin": float(specs.dimensionalize(1.0, units.degK).magnitude),
        "pascal": float(specs.dimensionalize(1.0, units.pascal).magnitude),
    }


def simulate(model: dict[str, Any], days: int) -> tuple[dict[str, NDArray], NDArray]:
    """Channel -> (T, N, M) with latitudes (N,) north → south, after the spin-up.

    Raises:
        FloatingPointError: the run blew up.
    """
    state = model["start"]
    for _ in range(SPIN_UP_DAYS * 24 // STEP_H):
        state = model["step"](state)
    frames = []
    for _ in range(days * 24 // STEP_H):
        state = model["step"](state)
        frames.append(on_pressure(model, state))
    fields = {key: np.stack([frame[key] for frame in frames]) for key in frames[0]}
    if not all(np.isfinite(values).all() for values in fields.values()):
        raise FloatingPointError("the simulation blew up; take a shorter TIME_STEP_MINUTES")
    return fields, np.rad2deg(model["coords"].horizontal.latitudes)[::-1]


def on_pressure(model: dict[str, Any], state: Any) -> dict[str, NDArray]:
    """Channels (N, M) of one state, on pressure levels."""
    now = model["diagnose"](state)
    coords = model["coords"]
    # (K, M, N) each
    temperature = model["reference"][:, None, None] + np.asarray(now.temperature_variation)
    temperature = temperature * model["kelvin"]
    east, north = (
        np.asarray(part) / coords.horizontal.cos_lat * model["metre_per_second"]
        for part in now.cos_lat_u
    )
    surface = np.exp(np.asarray(model["nodal"](state.log_surface_pressure)))[0] * model["pascal"]
    layers = {"t": temperature, "u": east, "v": north}
    sigma = coords.vertical.centers
    fields = {}
    for name, levels in LEVELS_HPA.items():
        for level in levels:
            where = np.log(level * 100 / surface)  # ln σ of the level
            values = (
                geopotential(temperature, sigma, where)
                if name == "z"
                else interpolate(layers[name], sigma, where)
            )
            fields[f"{name}{level}"] = values
    fields["msl"] = surface  # the ground is flat and at sea level
    return {key: np.asarray(values.T[::-1], np.float32) for key, values in fields.items()}


def interpolate(values: NDArray, sigma: NDArray, where: NDArray) -> NDArray:
    """Layers (K, M, N) at ln σ = ``where`` (M, N), linear in ln σ, also beyond the last layers."""
    index = _layer_above(sigma, where)
    low, high = _pair(values, index)
    share = (where - np.log(sigma)[index]) / np.diff(np.log(sigma))[index]
    return low + share * (high - low)


def geopotential(temperature: NDArray, sigma: NDArray, where: NDArray) -> NDArray:
    """Geopotential in m² s⁻² (M, N) at ln σ = ``where``, hydrostatic above ground at zero.

    ∂Φ/∂ln σ = −R T with T linear in ln σ between the layers (K, M, N): Φ of a layer is the sum of
    trapezia up from the ground, and within a layer the integral is exact.
    """
    log_sigma = np.log(sigma)
    ground = interpolate(temperature, sigma, np.zeros_like(where))
    nodes = np.concatenate([temperature, ground[None]])
    depth = np.diff(np.append(log_sigma, 0.0))[:, None, None]
    layers = GAS_CONSTANT * 0.5 * (nodes[1:] + nodes[:-1]) * depth
    heights = np.cumsum(layers[::-1], axis=0)[::-1]  # (K, M, N), Φ of each layer's middle
    index = _layer_above(sigma, where)
    below, _ = _pair(heights, index)
    start, _ = _pair(temperature, index)
    end = interpolate(temperature, sigma, where)
    return below - GAS_CONSTANT * 0.5 * (start + end) * (where - log_sigma[index])


def _layer_above(sigma: NDArray, where: NDArray) -> NDArray:
    return np.clip(np.searchsorted(np.log(sigma), where) - 1, 0, len(sigma) - 2)


def _pair(values: NDArray, index: NDArray) -> tuple[NDArray, NDArray]:
    take = np.take_along_axis
    return take(values, index[None], 0)[0], take(values, index[None] + 1, 0)[0]


if __name__ == "__main__":
    main()
