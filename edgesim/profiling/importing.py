"""Takes in a profile that a measuring script wrote on another machine."""

from __future__ import annotations

from pathlib import Path

from edgesim.profiling.profile import Profile, load_profile, save_profile


def import_profile(source: Path, target: Path) -> Profile:
    """Check ``source`` as every profile is checked and write it to ``target``.

    Raises InputError, naming file and key, where the file is damaged or at odds with itself.
    """
    profile = load_profile(source)
    save_profile(profile, target)
    return profile
