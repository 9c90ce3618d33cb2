"""The JSON Schema for editors, and the starter."""

from __future__ import annotations

import json
import re

import pytest

from edgesim.scenario.init import starter
from edgesim.scenario.load import load_scenario
from edgesim.scenario.scenario import Scenario
from edgesim.scenario.schema import allowed, json_schema, part

UNIT = re.compile(r"(?:^|_)(ms|s|mbps|hz|w|bytes)$")
WORDS = {"ms": "ms", "s": "s", "mbps": "Mb/s", "hz": "second", "w": "W", "bytes": "bytes"}


def objects():
    schema = json_schema()
    return [("Scenario", schema), *((n, d) for n, d in schema["$defs"].items() if d.get("type") == "object")]


def test_it_is_a_valid_schema_and_json():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert json.loads(json.dumps(json_schema())) == json_schema()


@pytest.mark.parametrize(("name", "definition"), objects(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_key_is_described_with_its_unit(name, definition):
    assert definition["additionalProperties"] is False and definition["description"]
    for key, inner in definition["properties"].items():
        description = inner.get("description", "")
        assert len(description) > 5, f"{name}.{key}"
        unit = UNIT.search(key)
        if unit:
            assert re.search(rf"\b{re.escape(WORDS[unit[1]])}\b", description, re.I), f"{name}.{key}: {description}"


def test_it_accepts_and_refuses_as_the_loader_does(bench):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    data = bench.load().resolved()
    assert list(validator.iter_errors(data)) == []
    for path, value in [(("seed",), "x"), (("duration_s",), 0), (("links", "access", "up", "process"), "fast")]:
        spoiled = json.loads(json.dumps(data))
        holder = spoiled
        for name in path[:-1]:
            holder = holder[name]
        holder[path[-1]] = value
        assert list(validator.iter_errors(spoiled))


def test_words():
    data = {"devices": {"a": {"arrivals": {"process": "poisson"}}}}
    assert (
        allowed(part(Scenario, data, ("devices", "a", "arrivals", "rate_hz")), "rate_hz") == "a number above 0, in Hz"
    )
    assert allowed(part(Scenario, data, ("execution",))) == "tabled or live"
    assert part(Scenario, data, ("devices", "a", "arrivals", "jitter_ms")) is None
    assert part(Scenario, data, ("nothing",)) is None


def test_the_starter_loads_as_it_stands(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(starter("mine"))
    scenario = load_scenario(path)
    assert scenario.name == "mine" and len(scenario.policies) >= 5
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(scenario.resolved(), json_schema())


def test_every_commented_alternative_of_the_starter_loads(tmp_path):
    """What a user gets by taking the '#' away."""
    (tmp_path / "my_policy.py").write_text("class MyPolicy: ...\n")
    text = starter().replace("  # mine:", "  mine:").replace("  # deit:", "  deit:")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert {"mine"} <= set(load_scenario(path).policies)
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("  # toy:"))
    toy = [line.replace("  # ", "  ", 1) for line in lines[first : first + 6]]
    models = next(n for n, line in enumerate(lines) if line.startswith("models:"))
    after = next(n for n, line in enumerate(lines) if line.startswith("devices:"))
    path.write_text("\n".join([*lines[: models + 1], *toy, *lines[after:]]).replace("cut: 3", "cut: 1"))
    assert load_scenario(path).models["toy"].exits == (1, 2)
