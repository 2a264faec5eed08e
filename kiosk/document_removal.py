"""Documents that go: removed by hand, with a visit that ended, or after the time of their kind.

A row that is removed stays, its file does not.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kiosk import documents, versions
from kiosk.case_history import detail_of
from kiosk.errors import NotAllowed
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Application, Bundle, BundleItem, Document, Event, Visit, transaction

KEEP_UNNAMED_DAYS = 30
DAY_S = 86400
ERASE_AGAIN_S = 2 * 3600
MOST_AT_ONCE = 500


def remove(loket: Loket, document_id: int, actor: Actor, now: int) -> None:
    """Erase a document for good.

    Raises NotFound; NotAllowed for what an act rests on, or is not the actor's (`require_hand`).
    """
    with transaction():
        row = documents.find(document_id)
        application = row.application
        if application and _rests_on(loket, application, row):
            raise NotAllowed("Langkah yang sudah dikerjakan memakai berkas ini; ia harus tinggal.")
        if application:
            documents.require_hand(loket, application.id, row.kind, actor)
        documents.note(row, actor, f"hapus berkas {row.kind}", now)
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
    details = (detail_of(loket, event) for event in events)
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
    _erase_strays(loket, now // 60 % documents.FOLDERS)
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
        documents.path_of(loket, document_id).unlink(missing_ok=True)


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
