"""Settings of the whole suite."""

from __future__ import annotations

from hypothesis import settings

# The same cases on every machine, however slow it is.
settings.register_profile("edgesim", derandomize=True, deadline=None)
settings.load_profile("edgesim")
