"""The profile file: what goes in comes out, and every damage is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgesim.errors import InputError
from edgesim.profiling.differences import differences
from edgesim.profiling.importing import import_profile
from edgesim.profiling.profile import Profile, find_profile, load_profile, save_profile, shipped_profile
from edgesim.profiling.report import report


def written(document: dict[str, Any], path: Path) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_round_trip(made: Profile, tmp_path: Path) -> None:
    path = tmp_path / "made.json"
    save_profile(made, path)
    again = load_profile(path)
    assert again == made and again.hash == made.hash
    assert [file.name for file in tmp_path.iterdir()] == ["made.json"]
    assert find_profile(path, "whatever") == made


def test_hash_depends_on_every_number(document: dict[str, Any], made: Profile) -> None:
    document["chain"][2]["rows_s"][5][1] *= 1 + 1e-12
    assert Profile.model_validate_json(json.dumps(document)).hash != made.hash


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every key of a JSON object and the first element of every list, as paths."""
    found = [path] if path else []
    if isinstance(value, dict):
        found += [each for key in value for each in paths_of(value[key], (*path, key))]
    elif isinstance(value, list) and value:
        found += paths_of(value[0], (*path, 0))
    return found


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def assert_refused(document: dict[str, Any], path: Path, key: str) -> str:
    with pytest.raises(InputError) as caught:
        load_profile(written(document, path))
    message = str(caught.value)
    assert str(path) in message and key in message, message
    return message


def test_every_missing_or_mistyped_key_is_named(made: Profile, tmp_path: Path) -> None:
    save_profile(made, tmp_path / "good.json")
    good = json.loads((tmp_path / "good.json").read_text())
    for path in paths_of(good):
        key = next(part for part in reversed(path) if isinstance(part, str))
        spoilt = copy.deepcopy(good)
        at(spoilt, path[:-1])[path[-1]] = {"no": "such thing"}
        assert_refused(spoilt, tmp_path / "bad.json", key)
        if isinstance(path[-1], str) and key not in ("dtype", "kind"):  # these have a default
            spoilt = copy.deepcopy(good)
            del at(spoilt, path[:-1])[path[-1]]
            assert_refused(spoilt, tmp_path / "bad.json", key)


@pytest.mark.parametrize(
    ("key", "spoil"),
    [
        ("chain.0.rows_s.0.0", lambda d: d["chain"][0]["rows_s"][0].__setitem__(0, -1.0)),
        ("chain.0.rows_s.0.0", lambda d: d["chain"][0]["rows_s"][0].__setitem__(0, float("nan"))),
        ("preprocess_s.0", lambda d: d["preprocess_s"].__setitem__(0, float("inf"))),
        ("chain", lambda d: d["chain"][1]["rows_s"][3].pop()),
        ("chain", lambda d: d["chain"].reverse()),
        ("chain", lambda d: d["chain"].pop(0)),
        ("branches", lambda d: d["branches"][0]["rows_s"][0].append(1e-3)),
        ("idle", lambda d: d["idle"].pop(0)),
        ("pieces", lambda d: d["pieces"][0].update(stop=9)),
        ("pieces", lambda d: d["pieces"][0].update(batch=3)),
        ("codecs", lambda d: d["codecs"][0].update(cut=4)),
        ("exits", lambda d: d["model"].update(exits=[3, 2, 4])),
        ("exits", lambda d: d["model"].update(exits=[1, 2, 3])),
        ("block_macs", lambda d: d["model"]["block_macs"].pop()),
        ("cuts", lambda d: d["model"]["cuts"].pop()),
        ("state_bytes", lambda d: d["model"]["state_bytes"].__setitem__(1, 321)),
        ("colour", lambda d: d["machine"].update(colour="red")),
        ("version", lambda d: d.update(version=2)),
        ("format", lambda d: d.update(format="something")),
        ("numeric_format", lambda d: d.update(numeric_format="bf16")),
        ("hash", lambda d: d["gather"][0]["seconds"].__setitem__(0, 1e-5)),
        ("hash", lambda d: d.pop("hash")),
    ],
)
def test_contradictions_are_named(made: Profile, tmp_path: Path, key: str, spoil: Callable[[Any], object]) -> None:
    save_profile(made, tmp_path / "good.json")
    spoilt = json.loads((tmp_path / "good.json").read_text())
    spoil(spoilt)
    assert_refused(spoilt, tmp_path / "bad.json", key)


def test_files_that_are_no_profile(tmp_path: Path) -> None:
    for text, complaint in (("{", "JSON"), ("[1]", "object"), ("", "JSON")):
        path = tmp_path / "bad.json"
        path.write_text(text)
        with pytest.raises(InputError, match=complaint):
            load_profile(path)
    with pytest.raises(InputError, match="missing.json"):
        load_profile(tmp_path / "missing.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="binary.json"):
        load_profile(tmp_path / "binary.json")


def test_a_cut_file_is_refused(made: Profile, tmp_path: Path) -> None:
    save_profile(made, tmp_path / "good.json")
    text = (tmp_path / "good.json").read_text()
    for share in (0.1, 0.5, 0.99):
        (tmp_path / "bad.json").write_text(text[: int(share * len(text))])
        with pytest.raises(InputError, match=r"bad\.json"):
            load_profile(tmp_path / "bad.json")


def test_unknown_shipped_profile() -> None:
    with pytest.raises(InputError, match="no profile of nobody"):
        shipped_profile("nobody")


def test_import_checks_as_loading_does(made: Profile, tmp_path: Path) -> None:
    save_profile(made, tmp_path / "from.json")
    assert import_profile(tmp_path / "from.json", tmp_path / "to.json") == load_profile(tmp_path / "to.json")
    (tmp_path / "from.json").write_text("{}")
    with pytest.raises(InputError, match="format"):
        import_profile(tmp_path / "from.json", tmp_path / "other.json")
    assert not (tmp_path / "other.json").exists()


def test_differences_are_said(made: Profile) -> None:
    said = "\n".join(differences(made, "1" * 16))
    assert "CPU was a processor" in said and "torch was 2.6.0" in said and "structure was 0000" in said
    assert "structure" not in "\n".join(differences(made, "0" * 16))


def test_report_prints_the_residuals(made: Profile) -> None:
    text = "\n".join(report(made))
    assert "piece at batch 4 = 0.080 ms + 0.940 x its blocks" in text
    assert "1.40 after 10 ms" in text and "3 of 1003 samples rejected" in text
