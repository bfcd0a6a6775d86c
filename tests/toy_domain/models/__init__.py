"""The toy domain's models."""
