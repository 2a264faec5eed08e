"""An office's file (TOML) → a checked `Profile`; a fault names its path and what was expected.

All checking happens at start: the shape of each table here, in the words of `kiosk.office_keys`;
what shows only when they are read together in `kiosk.office_checks`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kiosk import office_checks, office_keys, toml_lines
from kiosk.errors import Unusable
from kiosk.office_faults import Fault, near
from kiosk.profile import Profile

OFFICES = Path(__file__).parent / "offices"


def load(name_or_path: str) -> Profile:
    """Read an office's file: a name of `kiosk/offices/` or a path. Raises Unusable with all faults.

    The message has one line a fault: `file: path: what is there, what was expected`.
    """
    path = file_of(name_or_path)
    raw, data = _read(path)
    return parse(data, path.name, sha256(raw).hexdigest()[:16])


def file_of(name_or_path: str) -> Path:
    """The file of a name of `kiosk/offices/`, or the path itself."""
    path = Path(name_or_path)
    return path if path.suffix == ".toml" else OFFICES / f"{name_or_path}.toml"


def _read(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        raw = path.read_bytes()
        return raw, tomllib.loads(raw.decode())
    except (FileNotFoundError, IsADirectoryError):
        known = ", ".join(sorted(p.stem for p in OFFICES.glob("*.toml")))
        raise Unusable(f"{path.name}: no such office file; expected one of {known}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path.name}: not a TOML file: {error}") from None


def parse(data: dict[str, Any], name: str, version: str) -> Profile:
    """Check a file's tables and freeze them. Raises Unusable with all faults."""
    profile, faults = _examine(data, version)
    if profile is None:
        raise Unusable("\n".join(f"{name}: {fault.where}: {fault.said}" for fault in faults))
    return profile


def _examine(data: dict[str, Any], version: str) -> tuple[Profile | None, list[Fault]]:
    """The profile, or all faults: those of the shape first, for the rest is read only then."""
    if "version" in data:
        return None, [_unknown_key("version", ("version",))]
    try:
        profile = Profile.model_validate({**data, "version": version})
    except ValidationError as error:
        return None, [_shape(one) for one in error.errors() if not _follows(one)]
    faults = list(office_checks.faults(profile))
    return (None if faults else profile), faults


@dataclass(frozen=True)
class Placed:
    """A fault with its line (None where it has none) and the names of the tables it lies in."""

    fault: Fault
    line: int | None
    inside: str


@dataclass(frozen=True)
class Report:
    """What a check of a file found: its profile when there is no fault."""

    file: Path
    profile: Profile | None
    faults: tuple[Placed, ...]


def check(name_or_path: str) -> Report:
    """Check a file for a person who writes it. Raises Unusable when it is no TOML at all."""
    path = file_of(name_or_path)
    raw, data = _read(path)
    profile, faults = _examine(data, sha256(raw).hexdigest()[:16])
    lines = toml_lines.lines_of(raw.decode())
    placed = (
        Placed(fault, toml_lines.line_of(fault.where, lines), _inside(data, fault.where))
        for fault in faults
    )
    return Report(path, profile, tuple(placed))


def _inside(data: Any, path: str) -> str:
    """The ids of the tables on the way, for `services[0].steps[3]` is hard to count."""
    names = []
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
            data = data[int(part)]
        else:
            break
        if isinstance(data, Mapping):
            name = data.get("id") or data.get("name")
            names += [name] if isinstance(name, str) else []
    return " > ".join(names)


# ── The shape of one table, as pydantic found it ──


def _follows(error: Any) -> bool:
    """Whether a list only counts as too short because its elements have faults of their own."""
    return error["type"] == "too_short" and bool(len(error["input"]) >= error["ctx"]["min_length"])


def _shape(error: Any) -> Fault:
    location, kind = error["loc"], error["type"]
    where = _path(location)
    if kind == "extra_forbidden":
        return _unknown_key(where, location)
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        found = error["input"].get("kind") if isinstance(error["input"], dict) else None
        there = "missing" if kind == "union_tag_not_found" else shown(found)
        return Fault(f"{where}.kind", there, "`letter` or `proposal`")
    if kind == "missing":
        return _missing(where, location)
    if kind == "value_error":
        said = str(error["ctx"]["error"]).removeprefix("expected ")
        return Fault(where, shown(error["input"]), said)
    node = office_keys.at(location)
    expected = office_keys.kind(node) if node else error["msg"]
    known = [str(value) for value in (node or {}).get("enum", ())]
    return Fault(where, shown(error["input"]), expected, near(str(error["input"]), known))


def _unknown_key(where: str, location: tuple[int | str, ...]) -> Fault:
    table = office_keys.at(location[:-1])
    known = list(table["properties"]) if table and "properties" in table else []
    hint = near(str(location[-1]), known)
    title = office_keys.title(table) if table else "its table"
    expected = f"one of {', '.join(known)} (see {title} in {office_keys.DOCUMENT})"
    return Fault(where, "unknown key", expected, hint)


def _missing(where: str, location: tuple[int | str, ...]) -> Fault:
    table, node = office_keys.at(location[:-1]), office_keys.at(location)
    key = str(location[-1])
    expected = f"`{key}` = {office_keys.kind(node)}" if node else f"`{key}`"
    meaning = office_keys.meaning(table, key) if table else ""
    return Fault(where, "missing", f"{expected}{f' ({meaning})' if meaning else ''}")


def _path(location: tuple[int | str, ...]) -> str:
    """services[0].steps[1].id; the kind of a service, which the checker puts in, left out."""
    if location[0] == "services" and location[2:3] in (("letter",), ("proposal",)):
        location = location[:2] + location[3:]
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def shown(value: Any) -> str:
    """What stands in the file, as its writer would call it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, date):
        return value.isoformat()
    return (
        f"{value[:60]!r}{'…' if len(value) > 60 else ''}"
        if isinstance(value, str)
        else f"{value!r}"
    )
