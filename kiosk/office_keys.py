"""The tables and keys of an office's file in plain words, from what checks it. Pure.

What is said here is read from the schema of `kiosk.profile.Profile`; what a key means stands in
`guide/meanings.toml`, and a test demands a meaning for each.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kiosk.profile import Profile

DOCUMENT = "docs/office-file.md"
GUIDE = Path(__file__).parent / "guide"
PATTERNS = {
    "^[a-z][a-z0-9_]*$": "an id: small letters, digits and `_`, a letter first",
    "^[A-Z]$": "one capital letter",
    r"^[a-z][a-z0-9_]*(\.(frozen|signed))?$": (
        "`kiosk_print`, `<bundle>.frozen` or `<bundle>.signed`"
    ),
}
FORMATS = {"date": "a date such as 2026-11-23", "time": 'a time such as "07:30"'}
LONGEST_LINE = 400

Node = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """A key of a table: its kind in words, its default as TOML ("" where it is required)."""

    name: str
    kind: str
    required: bool
    default: str
    meaning: str
    table: str


@dataclass(frozen=True)
class Table:
    """A table of the file. `places` are the headers under which it stands."""

    name: str
    about: str
    keys: tuple[Key, ...]
    places: tuple[str, ...]


@cache
def _schema() -> Node:
    schema = Profile.model_json_schema()
    # The hash of the file is put in by the reader, not by who writes it.
    del schema["properties"]["version"]
    return schema


@cache
def meanings() -> dict[str, dict[str, str]]:
    """Table → key → what it means."""
    return tomllib.loads((GUIDE / "meanings.toml").read_text())


def at(location: tuple[int | str, ...]) -> Node | None:
    """The definition of what stands at this place, as the checker names places; None for none."""
    node: Node | None = _schema()
    for part in location:
        if node is None:
            return None
        node = _part(_resolved(node), part)
    return node and _resolved(node)


def _part(node: Node, part: int | str) -> Node | None:
    if isinstance(part, int):
        many = node.get("prefixItems")
        found: Node | None = many[part] if many else node.get("items")
    elif "discriminator" in node:
        reference = node["discriminator"]["mapping"].get(part)
        found = {"$ref": reference} if reference else None
    else:
        found = node.get("properties", {}).get(part)
    return found


def _resolved(node: Node) -> Node:
    """The definition that a reference names; what may be absent, without its absence."""
    if "anyOf" in node:
        node = next(one for one in node["anyOf"] if one.get("type") != "null")
    if "$ref" in node:
        found: Node = _schema()["$defs"][_name(node)]
        return found
    return node


def _name(node: Node) -> str:
    return str(node["$ref"]).rsplit("/", 1)[1]


def title(node: Node) -> str:
    """How the document heads this table."""
    return "the file" if node is _schema() else str(node["title"])


def kind(node: Node, link: bool = False) -> str:
    """What may stand here, in words; `link`: tables as links of the document."""
    if "anyOf" in node:
        node = next(one for one in node["anyOf"] if one.get("type") != "null")
    if "$ref" in node or "discriminator" in node:
        return _table_kind(node, link)
    if "const" in node or "enum" in node:
        values = node.get("enum") or [node["const"]]
        return "one of " * (len(values) > 1) + ", ".join(f"`{value}`" for value in values)
    if node.get("type") == "array":
        return _list_kind(node, link)
    if node.get("type") == "integer":
        return "a whole number" + _limits(node)
    if node.get("type") == "boolean":
        return "`true` or `false`"
    return _text_kind(node)


def _table_kind(node: Node, link: bool) -> str:
    names = [_name(one) for one in node.get("oneOf", [node])]
    if names == ["Text"]:
        return 'a text in two languages: `{ id = "…", en = "…" }`'
    if names == ["Named"]:
        return 'a table `{ id = "…", title = { id = "…", en = "…" } }`'
    shown = [f"[{name}](#{name.lower()})" if link else name for name in names]
    return f"a table {' or '.join(shown)}"


def _list_kind(node: Node, link: bool) -> str:
    if "prefixItems" in node:
        return 'a pair of times such as `["07:30", "12:00"]`'
    items = node["items"]
    least = "one or more" if node.get("minItems") else ""
    most = f", {node['maxItems']} at most" if "maxItems" in node else ""
    return f"a list{', ' + least if least else ''}{most}: each {kind(items, link)}"


def _limits(node: Node) -> str:
    least, above, most = (
        node.get("minimum"), node.get("exclusiveMinimum"), node.get("maximum"),
    )  # fmt: skip
    if least is not None and most is not None:
        return f" from {least} to {most}"
    said = ""
    if above is not None:
        said += f", more than {above}"
    if least is not None:
        said += f", {least} or more"
    if most is not None:
        said += f", {most} at most"
    return said


def _text_kind(node: Node) -> str:
    if "format" in node:
        return FORMATS[node["format"]]
    if "pattern" in node:
        return PATTERNS[node["pattern"]]
    least, most = node.get("minLength", 0), node.get("maxLength", LONGEST_LINE)
    if most != LONGEST_LINE:
        return f"a text of {least} to {most} letters"
    return "a text, not empty" if least else "a text"


def meaning(node: Node, key: str) -> str:
    """What this key of this table means; what many tables have is said once."""
    name = "Profile" if node is _schema() else str(node["title"])
    shared = ("Service", "Named") if name.endswith("Service") else ("Named",)
    return next((meanings()[t][key] for t in (name, *shared) if key in meanings().get(t, {})), "")


def keys_of(node: Node) -> tuple[Key, ...]:
    """The keys of a table in the order of its definition."""
    required = node.get("required", [])
    return tuple(
        Key(
            name=name,
            kind=kind(part, link=True),
            required=name in required,
            default=_toml(part.get("default")),
            meaning=meaning(node, name),
            table=_leads_to(part),
        )
        for name, part in node["properties"].items()
    )


def _leads_to(node: Node) -> str:
    while node.get("type") == "array" and "items" in node:
        node = node["items"]
    if "anyOf" in node:
        node = next(one for one in node["anyOf"] if one.get("type") != "null")
    return _name(node) if "$ref" in node else ""


def _toml(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def tables() -> tuple[Table, ...]:
    """All tables of the file, each once, in the order in which a file has them."""
    places: dict[str, list[str]] = {}
    for name, place in _walk(_schema(), "", ()):
        places.setdefault(name, []).append(place)
    definitions = _schema()["$defs"]
    root = Table("Profile", "", keys_of(_schema()), ())
    rest = (
        Table(
            name,
            definitions[name].get("description", ""),
            keys_of(definitions[name]),
            tuple(dict.fromkeys(p)),
        )
        for name, p in places.items()
        if name not in ("Text", "Named")
    )
    return (root, *rest)


def _walk(node: Node, path: str, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each table below this one with the header under which it stands."""
    for name, part in node["properties"].items():
        listed = part.get("type") == "array"
        inner = part.get("items", part) if listed else part
        if "anyOf" in inner:
            inner = next(one for one in inner["anyOf"] if one.get("type") != "null")
        for one in inner.get("oneOf", [inner]):
            if "$ref" in one and _name(one) not in above:
                here = f"{path}.{name}".lstrip(".")
                table = _name(one)
                yield table, f"[[{here}]]" if listed else f"[{here}]"
                yield from _walk(_resolved(one), here, (*above, table))
