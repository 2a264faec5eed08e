"""What the environment may set: README has the same table, a bad value names its variable."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from kiosk.errors import Unusable
from kiosk.settings import SETTINGS, Settings, read

ROOT = Path(__file__).resolve().parent.parent


def test_the_table_in_readme_is_what_the_code_reads() -> None:
    rows = re.findall(
        r"^\|\s*`(LOKET15_\w+)`\s*\|\s*(.*?)\s*\|", (ROOT / "README.md").read_text(), re.M
    )
    assert [(name, default.strip("`")) for name, default in rows] == [
        (setting.name, setting.default) for setting in SETTINGS
    ]


def test_no_other_variable_is_read_anywhere() -> None:
    files = [
        ROOT / "app.py",
        ROOT / "models.py",
        *ROOT.glob("kiosk/*.py"),
        *ROOT.glob("views/*.py"),
    ]
    found = {name for file in files for name in re.findall(r"LOKET15_[A-Z_]+", file.read_text())}
    assert found == {setting.name for setting in SETTINGS}


def test_without_any_the_defaults_hold() -> None:
    settings = read({})
    assert settings == read({setting.name: setting.default for setting in SETTINGS})
    assert len(fields(Settings)) == len(SETTINGS)
    assert not settings.secure


def test_the_base_address_follows_host_and_port_and_loses_its_slash() -> None:
    assert read({"LOKET15_PORT": "9000"}).base_url == "http://127.0.0.1:9000"
    behind = read({"LOKET15_BASE_URL": "https://loket.lebakkab.go.id/"})
    assert (behind.base_url, behind.secure) == ("https://loket.lebakkab.go.id", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("LOKET15_PORT", bad) for bad in ("0", "65536", "x", "-1", "80 ", "²", "9" * 5000)),
        ("LOKET15_THREADS", "0"),
        ("LOKET15_THREADS", "129"),
        ("LOKET15_PROXIES", "6"),
        *(
            ("LOKET15_BASE_URL", bad)
            for bad in (
                "loket.go.id",
                "ftp://x",
                "http://",
                "https:///x",
                "http://x/?a",
                "javascript:x",
            )
        ),
    ],
)
def test_a_bad_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(Unusable, match=f"^{name}: .*expected"):
        read({name: value})
