"""Writes one Python file that measures a model on another machine, such as a Raspberry Pi or a Jetson.

The file carries edgesim's own measuring code, word for word, and the model as operator calls (see
:mod:`edgesim.profiling.exporting`): the operators, shapes and batch sizes of the real one without timm and without
its weights.  The overhead of Python modules around the operators is missing there (a few microseconds each).  Before
measuring, the file checks shapes and MACs of every block.  It needs Python 3.10 and torch 2.3.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import edgesim
from edgesim.profiling.exporting import export_model
from edgesim.profiling.facts import model_facts
from edgesim.profiling.profile import FORMAT, VERSION
from edgesim.profiling.subjects import Subject, subject

CARRIED = (
    "errors",
    "models.state",
    "codecs.informative",
    "codecs.names",
    "codecs.tensors",
    "data.images",
    "profiling.digest",
    "profiling.machine",
    "profiling.lock",
    "profiling.macs",
    "profiling.sampling",
    "profiling.sections",
    "profiling.codec_sections",
    "profiling.exported",
    "profiling.field",
)
IMAGES = 4
WIDTH = 110

TEMPLATE = '''#!/usr/bin/env python3
"""Measures {name} on this machine: python {file} -o PROFILE.json (--help tells more).

Needs torch 2.3; with numpy it measures the codecs too, with Pillow also PNG and JPEG.
Then, where edgesim is installed: edgesim profile import PROFILE.json
"""

import base64
import importlib.abc
import importlib.util
import json
import sys
import zlib

if sys.version_info < (3, 10):
    sys.exit("this script needs Python 3.10 or newer")

SOURCES = {{
{sources}
}}

PAYLOAD = """
{payload}
"""


class Carried(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports edgesim's modules from SOURCES, and from nowhere else."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] != "edgesim":
            return None
        if name not in SOURCES:
            raise ImportError(name + " is not carried by this script", name=name)
        return importlib.util.spec_from_loader(name, self, is_package=not SOURCES[name])

    def exec_module(self, module):
        exec(compile(SOURCES[module.__name__], module.__name__, "exec"), module.__dict__)


if __name__ == "__main__":
    sys.meta_path.insert(0, Carried())
    from edgesim.profiling.field import main

    sys.exit(main(json.loads(zlib.decompress(base64.b64decode(PAYLOAD))), sys.argv[1:]))
'''


def write_script(name: str, path: Path) -> None:
    """The script for the model of that name (of the zoo, or of timm), written whole or not at all.

    Raises InputError for an unknown name, or for a model that cannot be exported.
    """
    partial = path.with_name(path.name + ".partial")
    partial.write_text(script_text(subject(name), name, path.name), encoding="utf-8")
    partial.replace(path)


def script_text(it: Subject, name: str, file: str) -> str:
    payload = base64.b64encode(zlib.compress(json.dumps(_payload(it, name)).encode(), 9)).decode()
    lines = "\n".join(payload[start : start + WIDTH] for start in range(0, len(payload), WIDTH))
    return TEMPLATE.format(name=name, file=file, sources=_sources(), payload=lines)


def _payload(it: Subject, name: str) -> dict[str, Any]:
    images = it.images[:IMAGES]
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": model_facts(it.model, name),
        "exported": export_model(it.model),
        "images": base64.b64encode(zlib.compress(images.tobytes(), 9)).decode(),
        "shape": list(images.shape),
        "mean": list(it.preprocess.mean),
        "std": list(it.preprocess.std),
        "content": it.content,
    }


def _sources() -> str:
    """Entries of a dict: the modules' texts, and an empty one for every package."""
    root = Path(edgesim.__file__).parent
    packages = sorted({"edgesim", *(f"edgesim.{name.rpartition('.')[0]}" for name in CARRIED if "." in name)})
    entries = [f'    "{package}": "",' for package in packages]
    for name in CARRIED:
        text = (root / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
        quoted = f"r'''{text}'''" if "'''" not in text else repr(text)
        entries.append(f'    "edgesim.{name}": {quoted},')
    return "\n".join(entries)
