"""Paths that a scenario names: inside its folder, and there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core.core_schema import SerializationInfo

SHIPPED = "shipped"


class CommandLineText(str):
    """Text typed on the command line: as a path it counts from the current folder and may lie anywhere."""


def find(text: str, folder: Path) -> Path:
    """The absolute path of ``text``, which must exist and, unless typed on the command line, lie inside ``folder``.

    Links are followed before it is judged.  Raises ValueError with the reason.
    """
    if not text or "\0" in text:
        raise ValueError(f"found {text!r}, allowed: the path of a file")
    if isinstance(text, CommandLineText):
        path = Path(text).expanduser().resolve()
    else:
        path = (folder / text).resolve()
        if Path(text).is_absolute() or not path.is_relative_to(folder.resolve()):
            raise ValueError(
                f"found {text!r}, which leaves the scenario's folder; allowed: a path inside it "
                "(or any path through --set on the command line)"
            )
    if not path.exists():
        raise ValueError(f"found {text!r}, but there is no such file ({path})")
    return path


def _path(value: Any, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise ValueError(f"found {value!r}, allowed: the path of a file, as text")
    return find(value, info.context["folder"]) if info.context else Path(value)


def _file(value: Any, info: ValidationInfo) -> Path:
    path = _path(value, info)
    if info.context and not path.is_file():
        raise ValueError(f"found {str(value)!r}, which is no file; allowed: a file")
    return path


def _folder(value: Any, info: ValidationInfo) -> Path:
    path = _path(value, info)
    if info.context and not path.is_dir():
        raise ValueError(f"found {str(value)!r}, which is no folder; allowed: a folder")
    return path


def _profile(value: Any, info: ValidationInfo) -> Path | str:
    return SHIPPED if value == SHIPPED else _file(value, info)


def _written(path: Path | str, info: SerializationInfo) -> str:
    """Relative to the scenario's folder where it lies inside, so that a manifest means the same elsewhere."""
    folder = info.context["folder"].resolve() if info.context else None
    if folder and isinstance(path, Path) and path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return str(path)


_plain = PlainSerializer(_written, return_type=str)
_schema = WithJsonSchema({"type": "string", "minLength": 1})

InputFile = Annotated[Path, BeforeValidator(_file), _plain, _schema]
InputFolder = Annotated[Path, BeforeValidator(_folder), _plain, _schema]
ProfileFile = Annotated[Path | Literal["shipped"], BeforeValidator(_profile), _plain, _schema]
