"""The networks: PuYun, its peer of plain convolutions, and the cascade of forecasters."""
