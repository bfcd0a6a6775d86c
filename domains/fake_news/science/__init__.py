"""Style, pictures, duplicates, splits, scores: the subject without training."""
