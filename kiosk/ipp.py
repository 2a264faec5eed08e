"""Pure but for the connection: the Internet Printing Protocol, as much of it as an office needs.

IPP/1.1 over HTTP (RFC 8010, RFC 8011): one request, one answer, one connection. Written here and
not taken from a library because the one that there is runs on an event loop, sends `media` as a
name where printers expect a keyword, cannot be told which certificate to trust, and takes an
answer with an empty attribute group for a broken one, after the paper has come out.
"""

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from hmac import compare_digest
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import socket
from urllib.parse import urlsplit

PRINT_JOB, GET_JOB, GET_PRINTER = 0x0002, 0x0009, 0x000B
INTEGER, BOOLEAN, ENUM = 0x21, 0x22, 0x23
NAME, KEYWORD, URI, CHARSET, LANGUAGE, MIME = 0x42, 0x44, 0x45, 0x47, 0x48, 0x49
OPERATION_GROUP, JOB_GROUP, END = 0x01, 0x02, 0x03
FIRST_VALUE_TAG = 0x10
LONGEST_ANSWER = 1 << 20

Value = int | str
Attribute = tuple[int, str, Value | list[str]]
Answered = dict[str, list[Value]]


class Garbled(ValueError):
    """The printer's answer is not IPP."""


class Unanswered(OSError):
    """The whole request was sent: whether the printer acts on it is not known."""


class Refused(OSError):
    """The printer's web server turned the request away."""


@dataclass(frozen=True)
class Answer:
    """`status` below 0x0100 is success; `attributes` are those of all groups, by name."""

    status: int
    attributes: Answered

    @property
    def ok(self) -> bool:
        return self.status < 0x0100

    def first(self, name: str, missing: Value = "") -> Value:
        return self.attributes.get(name, [missing])[0]

    def words(self, name: str) -> list[str]:
        return [str(value) for value in self.attributes.get(name, [])]


def ask(
    url: str,
    operation: int,
    about: list[Attribute],
    *,
    job: list[Attribute] | None = None,
    document: bytes = b"",
    connect: float = 5.0,
    answer: float = 5.0,
) -> Answer:
    """Send one operation to the printer at `url` (`ipp://` or `ipps://`) and read its answer.

    `about` are operation attributes, `job` job attributes, `connect` and `answer` seconds.
    `ipps://host/path#<sha256 in hex>` trusts exactly that certificate, as office printers sign
    their own; without it the certificate must be one that the system trusts.
    Raises OSError when the request could not be sent in full, `Unanswered` when it went out and
    no answer came, `Refused` for a status of HTTP other than 200, `Garbled` for an answer that is
    not IPP.
    """
    body = encode(operation, [(URI, "printer-uri", url.partition("#")[0]), *about], job) + document
    connection = _connect(url, connect)
    try:
        connection.sock.settimeout(answer)
        return decode(_post(connection, urlsplit(url).path or "/", body))
    finally:
        connection.close()


def _connect(url: str, timeout: float) -> HTTPConnection:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 631
    if parts.scheme == "ipp":
        connection = HTTPConnection(host, port, timeout=timeout)
    else:
        connection = HTTPSConnection(host, port, timeout=timeout, context=_trust(parts.fragment))
    try:
        connection.connect()
        _compare(connection.sock, parts.fragment)
    except BaseException:
        connection.close()
        raise
    return connection


def _trust(fingerprint: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if fingerprint:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead
    return context


def _compare(line: socket, fingerprint: str) -> None:
    if not fingerprint or not isinstance(line, ssl.SSLSocket):
        return
    found = hashlib.sha256(line.getpeercert(binary_form=True) or b"").hexdigest()
    if not compare_digest(found, fingerprint.replace(":", "").lower()):
        raise ssl.SSLCertVerificationError("another certificate than the one configured")


def _post(connection: HTTPConnection, path: str, body: bytes) -> bytes:
    connection.request("POST", path, body, {"Content-Type": "application/ipp"})
    try:
        response = connection.getresponse()
        content = response.read(LONGEST_ANSWER)
    except (OSError, HTTPException) as error:
        raise Unanswered(*error.args) from error
    if response.status != 200:
        raise Refused(f"HTTP {response.status}")
    return content


def encode(operation: int, about: list[Attribute], job: list[Attribute] | None = None) -> bytes:
    """A request as bytes (RFC 8010, 3.1); the document, if any, is put right behind them."""
    start = [
        (CHARSET, "attributes-charset", "utf-8"),
        (LANGUAGE, "attributes-natural-language", "id"),
    ]
    head = b"\x01\x01" + operation.to_bytes(2) + (1).to_bytes(4) + bytes([OPERATION_GROUP])
    body = b"".join(map(_attribute, [*start, *about]))
    if job:
        body += bytes([JOB_GROUP]) + b"".join(map(_attribute, job))
    return head + body + bytes([END])


def _attribute(attribute: Attribute) -> bytes:
    tag, name, value = attribute
    values = value if isinstance(value, list) else [value]
    names = [name.encode(), *[b""] * (len(values) - 1)]
    return b"".join(
        bytes([tag]) + _sized(key) + _sized(_raw(one))
        for key, one in zip(names, values, strict=True)
    )


def _raw(value: Value) -> bytes:
    return value.to_bytes(4, signed=True) if isinstance(value, int) else value.encode()


def _sized(text: bytes) -> bytes:
    return len(text).to_bytes(2) + text


def decode(content: bytes) -> Answer:
    """Read an answer; a collection's members are listed under the collection's name.

    Raises `Garbled` for bytes that end too soon or are not IPP.
    """
    if len(content) < 9:
        raise Garbled("too short")
    found: Answered = {}
    last = ""
    for tag, name, raw in _attributes(content, 8):
        last = name or last
        found.setdefault(last, []).append(_value(tag, raw))
    return Answer(int.from_bytes(content[2:4]), found)


def _attributes(content: bytes, at: int) -> Iterator[tuple[int, str, bytes]]:
    while (tag := _take(content, at, 1)[0]) != END:
        at += 1
        if tag < FIRST_VALUE_TAG:
            continue
        name = _sized_at(content, at)
        raw = _sized_at(content, at + 2 + len(name))
        at += 4 + len(name) + len(raw)
        yield tag, name.decode("utf-8", "replace"), raw


def _sized_at(content: bytes, at: int) -> bytes:
    return _take(content, at + 2, int.from_bytes(_take(content, at, 2)))


def _take(content: bytes, at: int, count: int) -> bytes:
    if at + count > len(content):
        raise Garbled("ends too soon")
    return content[at : at + count]


def _value(tag: int, raw: bytes) -> Value:
    if tag in (INTEGER, BOOLEAN, ENUM):
        return int.from_bytes(raw, signed=tag != BOOLEAN)
    return raw.decode("utf-8", "replace")
