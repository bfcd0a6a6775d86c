"""The networks: one file for each paper, their peers, losses and inference. Pure torch."""
