"""The layout and the import rule, held by reading the code."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [
    ROOT / "app.py", ROOT / "models.py", *sorted(ROOT.glob("kiosk/*.py")),
    *sorted(ROOT.glob("views/*.py")),
]  # fmt: skip
PURE = (
    "profile", "office_file", "office_checks", "letter_checks", "office_report", "office_doc",
    "standard", "workflow", "clock", "certificate", "seal", "errors", "identity", "jws", "key_file",
    "letter", "forms",
    "words", "slip", "settings", "loket", "service", "tables", "rules", "household", "pdf",
    "pictures", "straighten", "annex", "wording_check", "files",
)  # fmt: skip
WALL_CLOCK = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today"}
LONGEST = 40


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def imports(file: Path) -> set[str]:
    """The modules that a file imports, in functions too; `from kiosk import x` is kiosk.x."""
    found = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}: a relative import"
            name = node.module or ""
            found.add(name)
            found |= {f"{name}.{alias.name}" for alias in node.names if name in ("kiosk", "views")}
    return found


def room(name: str) -> str:
    return name.split(".")[0]


@pytest.mark.parametrize(
    ("importer", "never"),
    [
        ("models", {"kiosk", "views", "app", "flask", "werkzeug"}),
        ("kiosk", {"views", "app", "flask", "werkzeug", "flask_login", "flask_wtf", "htmx_flask"}),
        ("views", {"models", "app", "peewee"}),
    ],
)
def test_imports_run_one_way(importer: str, never: set[str]) -> None:
    for file in FILES:
        if room(module(file)) == importer:
            wrong = {name for name in imports(file) if room(name) in never}
            assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("name", PURE)
def test_what_is_pure_reaches_no_table(name: str) -> None:
    seen: set[str] = set()
    waiting = [f"kiosk.{name}"]
    while waiting:
        at = waiting.pop()
        file = ROOT.joinpath(*at.split(".")).with_suffix(".py")
        if at not in seen and file.exists():
            seen.add(at)
            found = imports(file)
            assert not {one for one in found if room(one) in ("models", "peewee")}, at
            waiting += [one for one in found if room(one) == "kiosk"]


def test_only_app_and_the_command_line_look_at_the_wall_clock() -> None:
    looking = {
        str(file.relative_to(ROOT))
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in WALL_CLOCK
    }
    assert looking == {"app.py", "views/cli.py"}


def test_sql_is_written_by_peewee_but_for_the_registers_own_file() -> None:
    """So that the office's tables can move to PostgreSQL."""
    raw = {
        str(file.relative_to(ROOT))
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute)
        and node.attr in ("execute_sql", "executemany", "executescript", "SQL")
    }
    # What `verification` hands over was written by peewee.
    assert raw <= {"kiosk/register.py", "kiosk/verification.py"}


@pytest.mark.parametrize("file", FILES, ids=module)
def test_no_function_is_longer_than_a_screen(file: Path) -> None:
    functions = [n for n in ast.walk(tree(file)) if isinstance(n, ast.FunctionDef)]
    long = {n.name: length(n) for n in functions if length(n) > LONGEST}
    assert not long


def length(function: ast.FunctionDef) -> int:
    """Lines of a function, its docstring left out: explaining more is no fault."""
    body = function.body
    explained = ast.get_docstring(function) is not None
    said = (body[0].end_lineno or 0) - body[0].lineno + 1 if explained else 0
    return (function.end_lineno or 0) - function.lineno + 1 - said


@pytest.mark.parametrize("file", [f for f in FILES if f.parent.name == "kiosk"], ids=module)
def test_every_room_and_every_public_verb_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(tree(file)), "no docstring of the module"
    silent = [
        node.name
        for node in tree(file).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert not silent
