"""Global weather six hours ahead, again and again: PuYun's cascade of large-kernel networks.

Paper: S. Zhu et al., "PuYun: Medium-Range Global Weather Forecasting Using Large Kernel Attention
Convolutional Networks", 2024, arXiv:2409.02123.

Data: ``sample``, a 6-hourly Held–Suarez run of a dry dynamical core (simulated, not observed);
``public``, ERA5 as WeatherBench 2 keeps it (Zarr); or the user's NetCDF, Zarr or GRIB.

Axes and units: time, channel (``z500`` m² s⁻², ``t850`` K, ``u850`` m s⁻¹, … as in
``science/channels``), latitude in degrees north → south, longitude in degrees east, ascending.

A dataset at rest is a folder::

    fields.zarr       field(time, channel, latitude, longitude)  float32, SI units, never NaN
                      valid(channel, latitude, longitude)        bool, false where field was filled
                      year_phase(time), day_phase(time)          float64 in [0, 1), see calendars
                      split(time)                                int8: 0 train, 1 validate, 2 test,
                                                                 -1 gap between two splits
                      run(time)                                  int32: number of the uninterrupted
                                                                 stretch of even steps
                      attributes: channels, units (lists), step_h, is_global, has_poles,
                      is_zonally_symmetric, is_simulated, calendar, title
    climatology.zarr  of the train split alone, see ``science/climatology``
    card.json

``science/dataset.py`` opens it; no sample may leave its split or its run, ``start_indices`` gives
the places where one can begin.  What ``predict`` asks of a trained ``Task`` is
``predict.WeatherModel``.
"""
