"""Scans and photos of a case: checked by content, kept encrypted, listed and read.

The row says what there is; the bytes lie under the vault's lock in a file named by the row's id,
written before the row is committed. A row that is removed stays, its file does not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from kiosk import pdf, pictures, versions
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.files import fsync_folder, write_new
from kiosk.loket import Loket
from kiosk.pictures import Limits
from kiosk.service import FormField, Service
from kiosk.staff import Actor
from kiosk.tables import Text
from models import (
    Application,
    Audit,
    Document,
    transaction,
)

FOLDERS = 256
OF_CASE = Limits()
# A sheet over many households comes back signed whole, its annex too.
OF_BUNDLE = Limits(bytes=60 * pictures.MEGABYTE, pages=500)
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
    if before := known(key):
        return before
    _require_kind(loket, owner, kind)
    sheet = pictures.sheet_of(data, OF_BUNDLE if owner.bundle else OF_CASE)
    with transaction():
        if before := known(key):
            return before
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
        _write(path_of(loket, row.id), loket.vault.lock(_label(row.id), sheet.data))
    return int(row.id)


def known(key: str) -> int | None:
    """The id of what this key has kept before; None for nothing."""
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


def path_of(loket: Loket, document_id: int) -> Path:
    """Where a document's locked bytes lie; a file may be missing there."""
    return loket.home / "documents" / f"{document_id % FOLDERS:02x}" / f"{document_id}.bin"


def _label(document_id: int) -> str:
    """Bound to its row: a file put in another's place does not open."""
    return f"document:{document_id}"


def _write(path: Path, data: bytes) -> None:
    path.parent.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700)
        fsync_folder(path.parent.parent)
    path.unlink(missing_ok=True)  # of an upload whose row was not committed
    write_new(path, data)
    fsync_folder(path.parent)


# ── Reading ──


def read(loket: Loket, document_id: int, actor: Actor | None, now: int) -> Scan:
    """A document's bytes; whoever of the staff opens it stands in the audit. Raises NotFound."""
    row = find(document_id)
    if actor is not None:
        note(row, actor, f"buka berkas {row.kind}", now)
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
    scan = _unlocked(loket, find(document_id))
    if scan.media == "application/pdf":
        return pictures.jpeg(pdf.picture(scan.bytes, 1, THUMBNAIL), (70,))
    return pictures.thumbnail(scan.bytes, THUMBNAIL)


def find(document_id: int) -> Document:
    """The row of a document that is there. Raises NotFound."""
    row = Document.get_or_none((Document.id == document_id) & Document.removed_at.is_null())
    if row is None:
        raise NotFound(NO_SUCH)
    return row


def _unlocked(loket: Loket, row: Document) -> Scan:
    try:
        locked = path_of(loket, row.id).read_bytes()
    except FileNotFoundError:
        raise NotFound(NO_SUCH) from None
    data = loket.vault.unlock(_label(row.id), locked)
    return Scan(row.id, data, row.media, row.kind, row.pages, row.sha256)


def note(row: Document, actor: Actor, what: str, now: int) -> None:
    """Note in the audit what was done with a document."""
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
            title=title_of(loket, row.kind),
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


def title_of(loket: Loket, kind: str) -> Text:
    """A kind's name in the office's file, or in the last version that had it; else its id."""
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
            kind, title_of(loket, kind), kind in wanted, tuple(d for d in have if d.kind == kind)
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
    return (*scans_of(service), *asked)


def scans_of(service: Service) -> tuple[str, ...]:
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
