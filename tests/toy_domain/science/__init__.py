"""The toy domain's science."""
