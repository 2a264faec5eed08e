"""Papers that citizens photograph: with the phone that holds their ticket, and at the kiosk."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from peewee import fn

from kiosk import documents, limits, versions
from kiosk.documents import Owner
from kiosk.errors import Invalid, NotFound
from kiosk.loket import Loket
from kiosk.service import Service
from kiosk.tables import Text
from models import Document, Ticket

MOST_PER_KIND = 10
PHONE_TRIES, PHONE_WINDOW_S = 30, 3600


@dataclass(frozen=True)
class PaperView:
    """A paper that a citizen may photograph, and how many pictures of it there are already."""

    id: str
    title: Text
    count: int


def phone_papers(loket: Loket, token: str) -> tuple[str, tuple[PaperView, ...]]:
    """The ticket's number and its papers, for a phone; () when nothing can be sent (any more).

    Raises NotFound for a token that is nobody's.
    """
    ticket = Ticket.get_or_none(Ticket.token == token)
    if ticket is None:
        raise NotFound("Tiket ini tidak kami kenal.")
    application = ticket.application
    if application.closed_at is not None:
        return ticket.label, ()
    service = versions.service_of(loket, application)
    return ticket.label, _papers(loket, service, Document.application == application.id)


def visit_papers(loket: Loket, service_id: str, visit_id: int) -> tuple[PaperView, ...]:
    """The papers that a kiosk may photograph for this service, and how many it has already."""
    return _papers(loket, loket.profile.service(service_id), Document.visit == visit_id)


def _papers(loket: Loket, service: Service, whose: Any) -> tuple[PaperView, ...]:
    rows: Any = (
        Document.select(Document.kind, fn.COUNT(Document.id))
        .where(whose & Document.removed_at.is_null())
        .group_by(Document.kind)
        .tuples()
    )
    count: dict[str, int] = dict(iter(rows))
    return tuple(
        PaperView(kind, documents.title_of(loket, kind), count.get(kind, 0))
        for kind in documents.scans_of(service)
    )


def add_from_phone(loket: Loket, token: str, kind: str, data: bytes, key: str, now: int) -> int:
    """A photo from the phone that holds the ticket. Raises Invalid, TooMany, NotFound."""
    _, papers = phone_papers(loket, token)
    key = f"phone:{sha256(token.encode()).hexdigest()[:16]}:{key}"
    if known := documents.known(key):
        return known
    _require_room(papers, kind)
    limits.spend(f"foto|{token}", PHONE_TRIES, PHONE_WINDOW_S, now)
    owner = Owner(application=Ticket.get(Ticket.token == token).application_id)
    return documents.add(loket, owner, kind, data, "phone", key, now)


def add_at_kiosk(
    loket: Loket, service_id: str, visit_id: int, kind: str, data: bytes, key: str, now: int
) -> int:
    """A photo of the kiosk's camera, before its application is there. Raises Invalid."""
    key = f"visit:{visit_id}:{key}"
    if known := documents.known(key):
        return known
    _require_room(visit_papers(loket, service_id, visit_id), kind)
    return documents.add(loket, Owner(visit=visit_id), kind, data, "kiosk", key, now)


def _require_room(papers: Iterable[PaperView], kind: str) -> None:
    paper = next((one for one in papers if one.id == kind), None)
    if paper is None:
        raise Invalid({"file": "Berkas ini tidak diperlukan lagi. Muat ulang halaman ini."})
    if paper.count >= MOST_PER_KIND:
        raise Invalid({"file": f"Sudah ada {MOST_PER_KIND} foto. Petugas melihatnya lebih dahulu."})
