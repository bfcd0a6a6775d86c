"""Networks: the paper's, its discriminator, and ours that sees the whole beat at once."""
