"""TI-CNN, its peers, the linear half, and what they make together for one fold."""
