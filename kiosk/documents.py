"""Scans and photos of a case: checked by content, kept encrypted, removed in their time.

The row says what there is; the bytes lie under the vault's lock in a file named by the row's id,
written before the row is committed. A row that is removed stays, its file does not.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from peewee import fn

from kiosk import limits, pdf, pictures, versions
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.loket import Loket
from kiosk.pictures import Limits
from kiosk.service import FormField, Service
from kiosk.staff import Actor
from kiosk.tables import Text
from kiosk.vault import fsync_folder
from models import (
    Application,
    Audit,
    Bundle,
    BundleItem,
    Document,
    Event,
    Ticket,
    Visit,
    transaction,
)

FOLDERS = 256
OF_CASE = Limits()
# A sheet over many households comes back signed whole, its annex too.
OF_BUNDLE = Limits(bytes=60 * pictures.MEGABYTE, pages=500)
MOST_PER_KIND = 10
PHONE_TRIES, PHONE_WINDOW_S = 30, 3600
KEEP_UNNAMED_DAYS = 30
DAY_S = 86400
ERASE_AGAIN_S = 2 * 3600
MOST_AT_ONCE = 500
# As large as the panel shows it: at twice that a NIK can be read, and this opening is not noted.
THUMBNAIL = 72
PAGE_PIXELS = 1800
NO_SUCH = "Foto atau berkas ini tidak ada."
Bytes = bytes


@dataclass(frozen=True)
class Owner:
    """Whose a document is: an application's, a kiosk visit's before it is one, or a sheet's."""

    application: int | None = None
    visit: int | None = None
    bundle: int | None = None


@dataclass(frozen=True)
class Scan:
    """A document's bytes as kept: a JPEG made by `pictures`, or a PDF as it came."""

    id: int
    bytes: Bytes
    media: str
    kind: str
    pages: int
    sha256: str


@dataclass(frozen=True)
class DocumentView:
    """A document as a list shows it. `who` is "" when the citizen sent it."""

    id: int
    kind: str
    title: Text
    media: str
    pages: int
    size: int
    sha256: str
    source: str
    created_at: int
    who: str


@dataclass(frozen=True)
class KindView:
    """A kind of paper with what the case holds of it; `wanted` while more may be added."""

    id: str
    title: Text
    wanted: bool
    held: tuple[DocumentView, ...]


# ── Keeping ──


def add(
    loket: Loket,
    owner: Owner,
    kind: str,
    data: bytes,
    source: str,
    key: str,
    now: int,
    actor: Actor | None = None,
) -> int:
    """Keep a file that came in as a document of this kind; its id. The same key is the same one.

    Pictures are straightened, shrunk and drawn anew (`pictures`), PDFs kept as they are. `source`:
    kiosk, counter, phone or field. Raises Invalid({"file": reason}).
    """
    known = _known(key)
    if known:
        return known
    _require_kind(loket, owner, kind)
    sheet = pictures.sheet_of(data, OF_BUNDLE if owner.bundle else OF_CASE)
    with transaction():
        known = _known(key)
        if known:
            return known
        row = Document.create(
            application=owner.application,
            visit=owner.visit,
            bundle=owner.bundle,
            key=key,
            kind=kind,
            media=sheet.media,
            pages=sheet.pages,
            size=len(sheet.data),
            sha256=sha256(sheet.data).hexdigest(),
            source=source,
            actor=actor and actor.id,
            created_at=now,
        )
        _write(_path(loket, row.id), loket.vault.lock(_label(row.id), sheet.data))
    return int(row.id)


def _known(key: str) -> int | None:
    row = Document.get_or_none(Document.key == key)
    return int(row.id) if row else None


def _require_kind(loket: Loket, owner: Owner, kind: str) -> None:
    profile = loket.profile
    if owner.application:
        application = _application(owner.application)
        if application.closed_at is not None:
            raise Invalid({"file": "Permohonan ini sudah selesai: tidak ada yang dapat ditambah."})
        profile = versions.profile_of(loket, application)
    if profile.document(kind) is None:
        raise Invalid({"file": "Jenis berkas ini tidak ada. Muat ulang halaman, lalu coba lagi."})


def _application(application_id: int) -> Application:
    application = Application.get_or_none(Application.id == application_id)
    if application is None:
        raise NotFound("Permohonan ini tidak ada.")
    return application


def adopt(visit_id: int, application: Application) -> None:
    """What a kiosk photographed becomes the application's. Inside the transaction of `submit`."""
    Document.update(application=application, visit=None).where(
        (Document.visit == visit_id) & Document.removed_at.is_null()
    ).execute()


def _path(loket: Loket, document_id: int) -> Path:
    return loket.home / "documents" / f"{document_id % FOLDERS:02x}" / f"{document_id}.bin"


def _label(document_id: int) -> str:
    """Bound to its row: a file put in another's place does not open."""
    return f"document:{document_id}"


def _write(path: Path, data: bytes) -> None:
    path.parent.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700)
        fsync_folder(path.parent.parent)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fsync_folder(path.parent)


# ── Reading ──


def read(loket: Loket, document_id: int, actor: Actor | None, now: int) -> Scan:
    """A document's bytes; whoever of the staff opens it stands in the audit. Raises NotFound."""
    row = _row(document_id)
    if actor is not None:
        _note(row, actor, f"buka berkas {row.kind}", now)
    return _unlocked(loket, row)


def page(loket: Loket, document_id: int, number: int, actor: Actor, now: int) -> tuple[bytes, str]:
    """A page (from 1) as a picture and its media type, audited as `read`. Raises NotFound."""
    scan = read(loket, document_id, actor, now)
    if not 1 <= number <= scan.pages:
        raise NotFound("Halaman ini tidak ada.")
    if scan.media != "application/pdf":
        return scan.bytes, scan.media
    return pictures.jpeg(pdf.picture(scan.bytes, number, PAGE_PIXELS)), "image/jpeg"


def thumbnail(loket: Loket, document_id: int) -> bytes:
    """A small JPEG to know the paper by, too small to read numbers from. Raises NotFound."""
    scan = _unlocked(loket, _row(document_id))
    if scan.media == "application/pdf":
        return pictures.jpeg(pdf.picture(scan.bytes, 1, THUMBNAIL), (70,))
    return pictures.thumbnail(scan.bytes, THUMBNAIL)


def _row(document_id: int) -> Document:
    row = Document.get_or_none((Document.id == document_id) & Document.removed_at.is_null())
    if row is None:
        raise NotFound(NO_SUCH)
    return row


def _unlocked(loket: Loket, row: Document) -> Scan:
    try:
        locked = _path(loket, row.id).read_bytes()
    except FileNotFoundError:
        raise NotFound(NO_SUCH) from None
    data = loket.vault.unlock(_label(row.id), locked)
    return Scan(row.id, data, row.media, row.kind, row.pages, row.sha256)


def _note(row: Document, actor: Actor, what: str, now: int) -> None:
    application = row.application
    sheet = row.bundle
    subject = application.number if application else sheet.number if sheet else ""
    with transaction():
        Audit.create(at=now, actor=actor.id, what=what, subject=f"{subject} #{row.id}")


def of_case(application_id: int, document_id: int) -> int:
    """The document's id when it is this case's. Raises NotFound for another's as for none."""
    mine = (Document.id == document_id) & (Document.application == application_id)
    if not Document.select().where(mine & Document.removed_at.is_null()).exists():
        raise NotFound(NO_SUCH)
    return document_id


def listed(loket: Loket, application_id: int) -> tuple[DocumentView, ...]:
    """The case's documents, oldest first."""
    return _views(loket, Document.application == application_id)


def listed_bundle(loket: Loket, bundle_id: int) -> tuple[DocumentView, ...]:
    """The documents of a sheet over many proposals, oldest first."""
    return _views(loket, Document.bundle == bundle_id)


def _views(loket: Loket, whose: Any) -> tuple[DocumentView, ...]:
    rows = Document.select().where(whose & Document.removed_at.is_null()).order_by(Document.id)
    return tuple(
        DocumentView(
            id=row.id,
            kind=row.kind,
            title=_title(loket, row.kind),
            media=row.media,
            pages=row.pages,
            size=row.size,
            sha256=row.sha256,
            source=row.source,
            created_at=row.created_at,
            who=row.actor.full_name if row.actor else "",
        )
        for row in rows
    )


def _title(loket: Loket, kind: str) -> Text:
    named = loket.profile.document(kind) or versions.last_document(loket, kind)
    return named.title if named else Text(id=kind, en=kind)


def kinds(loket: Loket, application_id: int, actor: Actor | None = None) -> tuple[KindView, ...]:
    """The papers of a case: those its service and the acts of its step ask for, and those held.

    An `actor` who has not the case in hand adds and removes none: to them no kind is `wanted`.
    """
    wanted = _wanted(loket, _application(application_id), actor)
    have = listed(loket, application_id)
    every = dict.fromkeys([*wanted, *(one.kind for one in have)])
    return tuple(
        KindView(
            kind, _title(loket, kind), kind in wanted, tuple(d for d in have if d.kind == kind)
        )
        for kind in every
    )


def require_hand(loket: Loket, application_id: int, kind: str, actor: Actor) -> None:
    """Whether the actor may add and remove papers of this kind now. Raises NotAllowed.

    Whose step it is may, and the counter; what the case does not ask for (yet) nobody.
    """
    application = _application(application_id)
    if application.closed_at is None and kind not in _wanted(loket, application, actor):
        raise NotAllowed("Berkas permohonan ini sekarang bukan tugas Anda.")


def _wanted(loket: Loket, application: Application, actor: Actor | None) -> tuple[str, ...]:
    service = versions.service_of(loket, application)
    step = service.step(application.step)
    has_it = actor is None or actor.role in step.roles or loket.profile.may(actor.role, "queue")
    if application.closed_at is not None or not has_it:
        return ()
    asked = (f.document for action in step.actions for f in action.fields if f.document)
    return (*_of_service(service), *asked)


def _of_service(service: Service) -> tuple[str, ...]:
    """The kinds of scan that a service's requirements keep, in the file's order."""
    scans = (paper.document for paper in service.requirements if paper.document)
    return tuple(dict.fromkeys(scans))


def held(application_id: int, fields: Iterable[FormField]) -> dict[str, list[str]]:
    """The ids of the case's documents, by the name of the field that asks for their kind."""
    return {
        field.name: [
            str(document.id)
            for document in Document.select(Document.id)
            .where(
                (Document.application == application_id)
                & (Document.kind == field.document)
                & Document.removed_at.is_null()
            )
            .order_by(Document.id)
        ]
        for field in fields
        if field.kind == "files"
    }


def require_held(
    application_id: int, fields: Iterable[FormField], values: Mapping[str, Any]
) -> None:
    """Inside the act's transaction: what it was done with is still there. Raises Stale."""
    for name, ids in held(application_id, fields).items():
        if not set(values[name]) <= set(ids):
            raise Stale("Berkas yang dipakai langkah ini baru saja dihapus. Lampirkan lagi.")


def require_newer(fields: Iterable[FormField], values: Mapping[str, Any], since: int) -> None:
    """A copy of the sheet of `since`, not of one drawn up before it. Raises Invalid by field."""
    for name in (field.name for field in fields if field.kind == "files" and values[field.name]):
        ids = Document.id.in_(values[name])
        if not Document.select().where(ids & (Document.created_at >= since)).exists():
            raise Invalid({name: "Ini salinan lembar yang lama. Lampirkan salinan yang baru."})


# ── From the citizen: phone and kiosk ──


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
    wanted = _of_service(service)
    return tuple(PaperView(kind, _title(loket, kind), count.get(kind, 0)) for kind in wanted)


def add_from_phone(loket: Loket, token: str, kind: str, data: bytes, key: str, now: int) -> int:
    """A photo from the phone that holds the ticket. Raises Invalid, TooMany, NotFound."""
    _, papers = phone_papers(loket, token)
    key = f"phone:{sha256(token.encode()).hexdigest()[:16]}:{key}"
    known = _known(key)
    if known:
        return known
    _require_room(papers, kind)
    limits.spend(f"foto|{token}", PHONE_TRIES, PHONE_WINDOW_S, now)
    ticket = Ticket.get(Ticket.token == token)
    return add(loket, Owner(application=ticket.application_id), kind, data, "phone", key, now)


def add_at_kiosk(
    loket: Loket, service_id: str, visit_id: int, kind: str, data: bytes, key: str, now: int
) -> int:
    """A photo of the kiosk's camera, before its application is there. Raises Invalid."""
    key = f"visit:{visit_id}:{key}"
    known = _known(key)
    if known:
        return known
    _require_room(visit_papers(loket, service_id, visit_id), kind)
    return add(loket, Owner(visit=visit_id), kind, data, "kiosk", key, now)


def _require_room(papers: Iterable[PaperView], kind: str) -> None:
    paper = next((one for one in papers if one.id == kind), None)
    if paper is None:
        raise Invalid({"file": "Berkas ini tidak diperlukan lagi. Muat ulang halaman ini."})
    if paper.count >= MOST_PER_KIND:
        raise Invalid({"file": f"Sudah ada {MOST_PER_KIND} foto. Petugas melihatnya lebih dahulu."})


# ── Removing ──


def remove(loket: Loket, document_id: int, actor: Actor, now: int) -> None:
    """Erase a document for good.

    Raises NotFound; NotAllowed for what an act rests on, or is not the actor's (`require_hand`).
    """
    with transaction():
        row = _row(document_id)
        if row.application_id and _rests_on(loket, _application(row.application_id), row):
            raise NotAllowed("Langkah yang sudah dikerjakan memakai berkas ini; ia harus tinggal.")
        if row.application_id:
            require_hand(loket, row.application_id, row.kind, actor)
        _note(row, actor, f"hapus berkas {row.kind}", now)
        _mark([row.id], now)
    _erase(loket, [row.id])


def _rests_on(loket: Loket, application: Application, row: Document) -> bool:
    """Whether the case is closed, or one of its acts was done with this document."""
    if application.closed_at is not None:
        return True
    service = versions.service_of(loket, application)
    names = {
        field.name
        for step in service.steps
        for action in step.actions
        for field in action.fields
        if field.document == row.kind
    }
    events = Event.select().where(
        (Event.application == application) & Event.detail_ct.is_null(False)
    )
    details = (loket.vault.unlock_json("detail", event.detail_ct or b"") for event in events)
    return any(str(row.id) in (detail.get(name) or ()) for detail in details for name in names)


def forget_visits(visits: Any, now: int) -> None:
    """The visits (a query of ids) have ended: what they photographed and did not submit goes.

    Inside their transaction. The files go with the next `sweep`.
    """
    Document.update(removed_at=now).where(
        Document.visit.in_(visits) & Document.removed_at.is_null()
    ).execute()


def sweep(loket: Loket, now: int) -> int:
    """Remove what has been kept for its time after its case was closed; how many that were.

    An open case never loses any. Files without a row are erased too, a folder a minute.
    """
    with transaction():
        forget_visits(Visit.select(Visit.id).where(Visit.ended_at.is_null(False)), now)
        due = [id_ for kind in _kept_kinds() for id_ in _due(loket, kind, now)]
        _mark(due, now)
    _erase(loket, due)
    _erase(loket, _just_removed(now))
    _erase_strays(loket, now // 60 % FOLDERS)
    return len(due)


def _kept_kinds() -> Iterator[str]:
    rows = Document.select(Document.kind).where(Document.removed_at.is_null()).distinct()
    return (row.kind for row in rows)


def _due(loket: Loket, kind: str, now: int) -> list[int]:
    """The documents of this kind whose case (of a sheet: every case) closed long enough ago.

    A kind that the office's file has no more is kept as long as the last version that had it said.
    """
    named = loket.profile.document(kind) or versions.last_document(loket, kind)
    before = now - (named.keep_days if named else KEEP_UNNAMED_DAYS) * DAY_S
    kept = (Document.kind == kind) & Document.removed_at.is_null()
    of_cases = Document.select(Document.id).join(Application)
    of_cases = of_cases.where(kept & (Application.closed_at <= before))
    late = Application.closed_at.is_null() | (Application.closed_at > before)
    waits = BundleItem.select(BundleItem.bundle).join(Application).where(late)
    of_sheets = Document.select(Document.id).join(Bundle, on=(Document.bundle == Bundle.id))
    of_sheets = of_sheets.where(kept & Bundle.id.not_in(waits) & (Bundle.frozen_at <= before))
    return [row.id for query in (of_cases, of_sheets) for row in query.limit(MOST_AT_ONCE)]


def _mark(ids: list[int], now: int) -> None:
    Document.update(removed_at=now).where(Document.id.in_(ids)).execute()


def _just_removed(now: int) -> list[int]:
    """Removed a short while ago: a crash may have come before their files were erased."""
    rows = Document.select(Document.id).where(Document.removed_at > now - ERASE_AGAIN_S)
    return [row.id for row in rows]


def _erase(loket: Loket, ids: Iterable[int]) -> None:
    for document_id in ids:
        _path(loket, document_id).unlink(missing_ok=True)


def _erase_strays(loket: Loket, number: int) -> None:
    """The files of one folder that no row names: an upload whose transaction did not commit."""
    folder = loket.home / "documents" / f"{number:02x}"
    # Inside the write lock: an upload between its file and its row is not taken for a stray.
    with transaction():
        files = {int(file.stem): file for file in folder.glob("*.bin") if file.stem.isdigit()}
        rows = Document.select(Document.id).where(
            Document.id.in_(list(files)) & Document.removed_at.is_null()
        )
        known = {row.id for row in rows}
        for stray in files.keys() - known:
            files[stray].unlink(missing_ok=True)
