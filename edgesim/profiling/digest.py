"""The digest that a profile carries, so that a changed file is noticed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256


def digest(document: Mapping[str, object]) -> str:
    """Of a JSON object, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]
