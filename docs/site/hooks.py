"""What mkdocs does besides what mkdocs.yml says."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.structure.files import File, Files
from reference import reference

from edgesim.scenario.scenario import Scenario
from edgesim.studies.study import Study

GENERATED = {
    "reference/scenario.md": (Scenario, "Keys of a scenario"),
    "reference/study.md": (Study, "Keys of a study"),
}
MARK = re.compile(r"^(```\w+) .*$", re.MULTILINE)
"""What stands behind the language of a block tells the tests how to run it (tests/pages.py)."""


def on_files(files: Files, config: Any) -> Files:
    for path, (model, title) in GENERATED.items():
        files.append(File.generated(config, path, content=reference(model, title)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    return MARK.sub(r"\1", markdown)
