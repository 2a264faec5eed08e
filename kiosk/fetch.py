"""A public document of another office, over the network: https, bounded in size and time."""

import re
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from kiosk.errors import Unusable

LARGEST = 8 * 1024 * 1024
SILENCE_S, LONGEST_S = 8, 30
LOOPBACK = r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?"
HTTPS = r"https://[^\s/?#@]+"


def is_local(url: str) -> bool:
    """Whether this is a server on this very machine, which needs no TLS."""
    return bool(re.match(rf"{LOOPBACK}(/|$)", url))


def text_of(url: str, longest_s: float = LONGEST_S) -> str:
    """The document at `url`, as UTF-8 text.

    Raises Unusable: for an address that is not https (or this machine's own), one that leads on to
    another, or a server that is silent, slow, or sends too much.
    """
    if not is_local(url) and not re.match(rf"{HTTPS}(/|$)", url):
        raise Unusable("Alamat harus dimulai dengan https://.")
    # In a thread that can be left behind: a socket's time-out is for one silence, and a name that
    # is looked up, a handshake or headers may drip without end. One such to an address is enough.
    found: list[str | Unusable] = []
    asker = threading.Thread(target=_ask, args=(url, found), daemon=True, name=f"ask {url}")
    if all(one.name != asker.name for one in threading.enumerate()):
        asker.start()
        asker.join(longest_s)
    if not found:
        raise Unusable(_unread(url))
    if isinstance(found[0], Unusable):
        raise found[0]
    return found[0]


def _ask(url: str, found: list[str | Unusable]) -> None:
    try:
        with _opener(url).open(_request(url), timeout=SILENCE_S) as answer:
            found.append(_body(answer).decode())
    except urllib.error.HTTPError as error:
        error.close()
        found.append(Unusable(f"{urlsplit(url).netloc} menjawab {error.code}."))
    except (OSError, HTTPException, ValueError):
        found.append(Unusable(_unread(url)))


def _unread(url: str) -> str:
    return f"{urlsplit(url).netloc} tidak dapat dihubungi atau terbaca."


def _request(url: str) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"User-Agent": "loket15"})  # noqa: S310 - checked


class _Stay(urllib.request.HTTPRedirectHandler):
    """An address that was compared is the one that answers: nobody is followed elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _opener(url: str) -> urllib.request.OpenerDirector:
    proxies = urllib.request.ProxyHandler({} if is_local(url) else None)
    return urllib.request.build_opener(proxies, _Stay)


def _body(answer: Any) -> bytes:
    # Piece by piece, for the one who was left behind with it to come to an end too.
    until, pieces, size = time.monotonic() + LONGEST_S, [], 0
    while piece := answer.read1(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST or time.monotonic() > until:
            raise OSError("too much or too slow")
    return b"".join(pieces)
