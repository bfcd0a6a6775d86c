"""The subject science of IMU attitude: quaternions, recordings, published filters; no training."""
