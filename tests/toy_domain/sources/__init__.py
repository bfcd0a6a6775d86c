"""The toy domain's sources."""
