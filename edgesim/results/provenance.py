"""Where the numbers of a results folder come from, as names and values for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any


def provenance(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Seed, versions, digests of what went in, and the machines that profiles were measured on."""
    yield "seed", str(manifest["seed"])
    versions = [f"{name} {number}" for name, number in manifest["versions"].items()]
    yield "versions", ", ".join([*versions, f"Python {manifest['python']}"])
    machines = manifest.get("machines", {})
    for model, digest in manifest["profiles"].items():
        yield f"profile of {model}", ", ".join(filter(None, (digest, machines.get(model))))
    for split, by_model in manifest["outcomes"].items():
        for model, digest in by_model.items():
            yield f"answers of {model}", f"{digest} ({split})"
    for path, digest in manifest["files"].items():
        yield f"file {path}", digest


def as_yaml(document: Mapping[str, Any]) -> str:
    """Plain values as a user would write them in a file."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 110
    text = StringIO()
    yaml.dump(dict(document), text)
    return text.getvalue()
