"""A failed run told to a web address: Slack, Mattermost, Teams or a team's own."""

from __future__ import annotations

import json
import os
from urllib.error import URLError
from urllib.request import Request, urlopen


def tell(address: str, run: str, state: str, reason: str, page: str) -> str:
    """Post a run's failure as JSON; returns what went wrong with that, ``""`` when nothing did.

    The body has ``text``, which chat services show, and ``run``, ``state``, ``reason``, ``page``.

    Args:
        address: ``http(s)://...``, or ``$NAME`` of the environment variable that holds it (a
            webhook's address is a secret, and parameters stand on Prefect's page).
        run: name of the run.
        state: ``FAILED`` or ``CRASHED``.
        reason: one line.
        page: address of the run's page.
    """
    if address.startswith("$"):
        address = os.environ.get(address[1:], "")
    body = {
        "text": f"convoy: {run} {state.lower()}: {reason} {page}".rstrip(),
        "run": run,
        "state": state,
        "reason": reason,
        "page": page,
    }
    try:
        request = Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=10):
            return ""
    except (URLError, OSError, ValueError) as error:
        return f"the failure could not be told to the web address: {error}"
