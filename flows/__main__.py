"""``python -m flows`` is ``convoy``."""

from flows.cli import main

main()
