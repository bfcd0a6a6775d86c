"""Which way is up, from a gyroscope and an accelerometer, at any sampling rate.

Papers: E. Golroudbari, M. H. Sabour, "End-to-End Deep Learning Framework for Real-Time Inertial
Attitude Estimation using 6DoF IMU", Measurement 2023, arXiv:2302.06037 (the networks); D. Laidig,
T. Seel, "VQF: Highly Accurate IMU Orientation Estimation with Bias Estimation and Magnetic
Disturbance Rejection", Information Fusion 91, 2023, arXiv:2203.17024 (the filter that the hybrid
corrects).

Data: ``sample`` simulated trials; ``public`` BROAD, 39 real trials with optical reference
(CC BY 4.0, doi:10.3390/data6070072); or the user's CSV, NPZ, HDF5 or MAT files.

Axes and units: time in s; gyroscope rad/s and specific force m/s² in the sensor frame (x, y, z);
attitude as unit quaternion (w, x, y, z), sensor → earth, ENU, z up.  Without a magnetometer the
heading is free, so the score is the inclination error, in degrees, by BROAD's protocol.
"""
