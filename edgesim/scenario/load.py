"""From a file (or a mapping) to a scenario, or to one error that says what to mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edgesim.errors import InputError
from edgesim.scenario.checks import check
from edgesim.scenario.document import Document, Place, is_study
from edgesim.scenario.overrides import override, set_key
from edgesim.scenario.problems import from_validation, input_error
from edgesim.scenario.reader import read
from edgesim.scenario.scenario import Scenario


def load_scenario(path: Path, overrides: Sequence[str] = (), options: Mapping[str, Any] = {}) -> Scenario:
    """Read the scenario in the YAML file ``path``, changed by ``overrides`` (each ``key=value``).

    options: keys at the top, with values that were given as ``--key``.

    Raises InputError naming file, line and key, what was found and what is allowed.
    """
    document = read(path)
    if is_study(document.data):
        raise InputError(f"{path}: found a study, allowed: a scenario; edgesim study {path} conducts it")
    override(document, overrides)
    for key, value in options.items():
        set_key(document, key, value, Place(0, len(overrides), f"--{key}"))
    return validated(document, path.resolve().parent)


def build_scenario(data: Mapping[str, Any], folder: Path = Path(), overrides: Sequence[str] = ()) -> Scenario:
    """The scenario that plain values (such as ``Scenario.resolved()``) mean; paths count from ``folder``.

    Raises InputError naming the key, what was found and what is allowed.
    """
    document = Document("scenario", deepcopy(dict(data)))
    override(document, overrides)
    return validated(document, folder.resolve())


def validated(document: Document, folder: Path) -> Scenario:
    """The scenario that a document means; paths count from ``folder``.  Raises InputError for all that is wrong."""
    try:
        scenario = Scenario.model_validate(document.data, context={"folder": folder, "document": document})
    except ValidationError as error:
        raise input_error(document, from_validation(error, document.data)) from None
    problems = list(check(scenario))
    if problems:
        raise input_error(document, problems)
    return scenario
