"""What the environment may set, with its defaults; README has the same table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.errors import Unusable
from kiosk.fetch import HTTPS, LOOPBACK


@dataclass(frozen=True)
class Setting:
    name: str
    default: str
    meaning: str


SETTINGS = (
    Setting("LOKET15_HOME", "var", "folder of all data: database, register, keys, archive"),
    Setting("LOKET15_OFFICE", "lebak", "office file: a name in `kiosk/offices/` or a path"),
    Setting("LOKET15_HOST", "127.0.0.1", "address the server listens on"),
    Setting("LOKET15_PORT", "8015", "port the server listens on"),
    Setting("LOKET15_BASE_URL", "http://127.0.0.1:8015", "what the QR codes say; https in earnest"),
    Setting("LOKET15_THREADS", "8", "requests answered at once"),
    Setting("LOKET15_TICKET_PRINTER", "file:prints", "`file:folder`, `ipp://…` or `escpos://host`"),
    Setting("LOKET15_LETTER_PRINTER", "file:prints", "`file:folder` or `ipp://…`"),
    Setting("LOKET15_PROXIES", "0", "reverse proxies in front whose X-Forwarded-* are trusted"),
    Setting("LOKET15_DUKCAPIL_URL", "", "service of docs/dukcapil.md; https, or on this machine"),
    Setting("LOKET15_DUKCAPIL_KEY", "", "key for that service, sent as a bearer token"),
    Setting("LOKET15_BSRE_URL", "", "esign-client server of docs/bsre.md; https, or loopback"),
    Setting("LOKET15_BSRE_USER", "", "the office's account there (HTTP Basic)"),
    Setting("LOKET15_BSRE_PASSWORD", "", "its password"),
    Setting("LOKET15_BSRE_ROOTS", "", "PEM file of the PSrE's root certificates"),
)


@dataclass(frozen=True)
class Settings:
    """The settings, read and checked."""

    home: Path
    office: str
    host: str
    port: int
    base_url: str
    threads: int
    ticket_printer: str
    letter_printer: str
    proxies: int
    dukcapil_url: str
    dukcapil_key: str = field(repr=False)
    bsre_url: str
    bsre_user: str
    bsre_password: str = field(repr=False)
    bsre_roots: str

    @property
    def secure(self) -> bool:
        """Whether browsers come over TLS, so that cookies say so."""
        return self.base_url.startswith("https://")


def read(environ: Mapping[str, str]) -> Settings:
    """The settings of this environment. Raises Unusable naming the variable that is wrong."""
    value = {s.name: environ.get(s.name, "") or s.default for s in SETTINGS}
    port = _number("LOKET15_PORT", value, 1, 65535)
    if not environ.get("LOKET15_BASE_URL"):
        value["LOKET15_BASE_URL"] = f"http://{value['LOKET15_HOST']}:{port}"
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value["LOKET15_BASE_URL"]):
        raise Unusable("LOKET15_BASE_URL: expected an address with http:// or https://")
    for name in ("LOKET15_DUKCAPIL_URL", "LOKET15_BSRE_URL"):
        _require_private(name, value[name])
    if not re.fullmatch("[!-~]*", value["LOKET15_DUKCAPIL_KEY"]):
        raise Unusable("LOKET15_DUKCAPIL_KEY: expected letters and signs without blanks")
    return Settings(
        home=Path(value["LOKET15_HOME"]),
        office=value["LOKET15_OFFICE"],
        host=value["LOKET15_HOST"],
        port=port,
        base_url=value["LOKET15_BASE_URL"].rstrip("/"),
        threads=_number("LOKET15_THREADS", value, 1, 128),
        ticket_printer=value["LOKET15_TICKET_PRINTER"],
        letter_printer=value["LOKET15_LETTER_PRINTER"],
        proxies=_number("LOKET15_PROXIES", value, 0, 5),
        dukcapil_url=value["LOKET15_DUKCAPIL_URL"].rstrip("/"),
        dukcapil_key=value["LOKET15_DUKCAPIL_KEY"],
        bsre_url=value["LOKET15_BSRE_URL"].rstrip("/"),
        bsre_user=value["LOKET15_BSRE_USER"],
        bsre_password=value["LOKET15_BSRE_PASSWORD"],
        bsre_roots=value["LOKET15_BSRE_ROOTS"],
    )


def _require_private(name: str, url: str) -> None:
    """People's data go there: over TLS, or to an adapter on this very machine."""
    if url and not re.fullmatch(rf"({HTTPS}|{LOOPBACK})(/[^\s?#]*)?", url):
        raise Unusable(f"{name}: expected an address with https://")


def _number(name: str, value: Mapping[str, str], low: int, high: int) -> int:
    text = value[name]
    if not re.fullmatch("[0-9]{1,6}", text) or not low <= int(text) <= high:
        raise Unusable(f"{name}: {text!r}; expected a number from {low} to {high}")
    return int(text)
