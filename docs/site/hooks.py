"""What mkdocs does besides what mkdocs.yml says."""

from __future__ import annotations

import re
from pathlib import Path
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
FROM_README = re.compile(r"^<!-- README: (.+) -->$", re.MULTILINE)
"""Stands for a section of the README, which is written there alone."""
README = Path(__file__).parents[2] / "README.md"


def on_files(files: Files, config: Any) -> Files:
    for path, (model, title) in GENERATED.items():
        files.append(File.generated(config, path, content=reference(model, title)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    whole = FROM_README.sub(lambda found: readme_section(found[1]), markdown)
    return MARK.sub(r"\1", whole)


def readme_section(title: str) -> str:
    """What stands below this title, with links as they are from docs/."""
    text = README.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    return text.replace("](docs/", "](")
