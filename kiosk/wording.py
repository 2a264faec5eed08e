"""The office's own wording of its letters: published in versions, the newest counts.

It stands above the wording of the office's file. What was issued keeps the wording of then.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from peewee import fn

from kiosk import certificate, versions, wording_check
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.loket import Loket
from kiosk.profile import Signer
from kiosk.service import LetterService, LetterText
from kiosk.staff import Actor
from kiosk.wording_check import PARTS, Sample
from models import Application, Audit, Mandate, User, Wording, transaction

NOTE_LETTERS = 300
CHANGED_MEANWHILE = "Naskah ini sudah diterbitkan orang lain sementara itu. Periksa dahulu."
NOTHING_NEW = "Belum ada yang berubah dari naskah yang berlaku."
WHY = "Tulis apa yang berubah dan mengapa."

# What two wordings share, and what only the newer or only the older has.
Piece = tuple[str, str]


@dataclass(frozen=True)
class Entry:
    """A letter of the office whose wording can be edited; `seq` 0 is the file's own."""

    service: str
    kind: str
    service_title: Any
    title: str
    subtitle: str
    seq: int
    at: int | None
    who: str


@dataclass(frozen=True)
class Version:
    """A published wording. `of_file`: it went back to the file's own.

    `changes` maps a part to its pieces: ("same" | "new" | "old", words), against the former one.
    """

    seq: int
    at: int
    who: str
    note: str
    of_file: bool
    changes: Mapping[str, tuple[Piece, ...]]


@dataclass(frozen=True)
class Edited:
    """A letter at the editor: its service, the text that counts, and how it came to be."""

    service: LetterService
    text: LetterText
    own: LetterText
    seq: int
    versions: tuple[Version, ...]


def of(loket: Loket, application: Application, text: LetterText) -> tuple[LetterText, int | None]:
    """The wording that counts for this letter of an application, and its id; None: the file's own.

    The newest that was published, as far as the application's version of the file knows what it
    fills in.
    """
    known = set(wording_check.known(versions.letter_service_of(loket, application)))
    for row in _published(application.service, text.kind):
        if not row.text:
            break
        parts = json.loads(row.text)
        if wording_check.named(parts) <= known:
            return wording_check.worded(text, parts), int(row.id)
    return text, None


def published_at() -> dict[str, int]:
    """When a wording of each service was published last; a service of the file's own has none."""
    at = fn.MAX(Wording.published_at)
    newest: Any = Wording.select(Wording.service, at).group_by(Wording.service)
    return dict(newest.tuples())


def entries(loket: Loket) -> tuple[Entry, ...]:
    """Every letter of the running file, in its order."""
    return tuple(
        _entry(service, text)
        for service in loket.profile.letters
        for text in (service.letter, *service.letters)
    )


def _entry(service: LetterService, own: LetterText) -> Entry:
    last = next(iter(_published(service.id, own.kind)), None)
    text = _text_of(own, last)
    return Entry(
        service=service.id,
        kind=own.kind,
        service_title=service.title,
        title=text.title,
        subtitle=text.subtitle or "",
        seq=last.seq if last else 0,
        at=last.published_at if last else None,
        who=last.published_by.full_name if last else "",
    )


def read(loket: Loket, service_id: str, kind: str) -> Edited:
    """The letter with its published versions, newest first. Raises NotFound."""
    service, own = _letter(loket, service_id, kind)
    rows = _published(service_id, kind)
    return Edited(
        service=service,
        text=_text_of(own, rows[0] if rows else None),
        own=own,
        seq=rows[0].seq if rows else 0,
        versions=tuple(_version(own, row, older) for row, older in zip_longest(rows, rows[1:])),
    )


def _letter(loket: Loket, service_id: str, kind: str) -> tuple[LetterService, LetterText]:
    try:
        service = loket.profile.letter_service(service_id)
        return service, service.letter_of(kind)
    except KeyError:
        raise NotFound("Surat ini tidak ada.") from None


def _published(service_id: str, kind: str) -> list[Wording]:
    """Newest first."""
    theirs = (Wording.service == service_id) & (Wording.letter == kind)
    query = Wording.select(Wording, User).join(User).where(theirs)
    return list(query.order_by(Wording.seq.desc()))


def _text_of(own: LetterText, row: Wording | None) -> LetterText:
    return wording_check.worded(own, json.loads(row.text)) if row and row.text else own


def _version(own: LetterText, row: Wording, older: Wording | None) -> Version:
    new, old = (wording_check.parts_of(_text_of(own, one)) for one in (row, older))
    return Version(
        seq=row.seq,
        at=row.published_at,
        who=row.published_by.full_name,
        note=row.note,
        of_file=not row.text,
        changes={
            part: difference(_plain(old[part]), _plain(new[part]))
            for part in PARTS
            if old[part] != new[part]
        },
    )


def _plain(value: Any) -> str:
    return "; ".join(value) if isinstance(value, list) else str(value or "")


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """Word by word what stayed, what went and what came, in reading order."""
    before, after = old.split(), new.split()
    pieces: list[Piece] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            pieces.append(("same", " ".join(before[a:b])))
            continue
        pieces += [("old", " ".join(before[a:b]))] if b > a else []
        pieces += [("new", " ".join(after[c:d]))] if d > c else []
    return tuple(pieces)


def typed(given: Mapping[str, str]) -> dict[str, Any]:
    """What a form holds as parts: single spaces, a copy a line, an empty subtitle as none."""
    parts: dict[str, Any] = {part: " ".join(given.get(part, "").split()) for part in PARTS}
    parts["subtitle"] = parts["subtitle"] or None
    lines = (" ".join(line.split()) for line in given.get("copies", "").splitlines())
    return parts | {"copies": [line for line in lines if line]}


def publish(
    loket: Loket,
    service_id: str,
    kind: str,
    parts: Mapping[str, Any],
    note: str,
    seen: int,
    actor: Actor,
    now: int,
) -> int:
    """Publish this wording: it counts from now on. The number of the version.

    `seen` is the version that the editor began with. Raises NotAllowed, NotFound, Invalid by part,
    Stale when somebody published meanwhile.
    """
    service, own = _letter(loket, service_id, kind)
    text = wording_check.worded(own, parts)
    faults = wording_check.faults(loket.profile, service, text, signers(loket))
    if not note.strip():
        faults["note"] = WHY
    if len(note) > NOTE_LETTERS:
        faults["note"] = f"Paling banyak {NOTE_LETTERS} huruf."
    if faults:
        raise Invalid(faults)
    return _add(loket, own, service_id, wording_check.parts_of(text), note, seen, actor, now)


def go_back(
    loket: Loket, service_id: str, kind: str, to: int, seen: int, actor: Actor, now: int
) -> int:
    """Publish version `to` again, 0 for the file's own; the new version's number.

    Raises as `publish`: what could be said then may not fit any more.
    """
    service, own = _letter(loket, service_id, kind)
    row = next((one for one in _published(service_id, kind) if one.seq == to), None)
    if to and row is None:
        raise NotFound("Versi naskah ini tidak ada.")
    note = f"Kembali ke versi {to}" if to else "Kembali ke naskah berkas kantor"
    if row is None or not row.text:
        return _add(loket, own, service_id, None, note, seen, actor, now)
    parts = json.loads(row.text)
    text = wording_check.worded(own, parts)
    if faults := wording_check.faults(loket.profile, service, text, signers(loket)):
        raise Invalid(faults)
    return _add(loket, own, service_id, parts, note, seen, actor, now)


def _add(
    loket: Loket,
    own: LetterText,
    service_id: str,
    parts: Mapping[str, Any] | None,
    note: str,
    seen: int,
    actor: Actor,
    now: int,
) -> int:
    """A new version; None is the file's own."""
    if not loket.profile.may(actor.role, "admin"):
        raise NotAllowed("Anda tidak berwenang menerbitkan naskah surat.")
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True) if parts else ""
    with transaction():
        last = next(iter(_published(service_id, own.kind)), None)
        if (last.seq if last else 0) != seen:
            raise Stale(CHANGED_MEANWHILE)
        now_said = wording_check.parts_of(_text_of(own, last))
        if (parts or wording_check.parts_of(own)) == now_said:
            raise Invalid({"note": NOTHING_NEW})
        seq = seen + 1
        Wording.create(
            service=service_id, letter=own.kind, seq=seq, text=text, note=" ".join(note.split()),
            published_at=now, published_by=actor.id,
        )  # fmt: skip
        subject = f"{service_id}/{own.kind} {seq}"
        Audit.create(at=now, actor=actor.id, what="terbitkan naskah surat", subject=subject)
    return seq


def preview(
    loket: Loket, service_id: str, kind: str, parts: Mapping[str, Any], sample: Sample
) -> bytes:
    """The letter so worded, with invented data, as a PDF marked as an example.

    Raises NotFound, Invalid by part, Unusable when it does not fit.
    """
    service, own = _letter(loket, service_id, kind)
    text = wording_check.worded(own, parts)
    known = signers(loket)
    if faults := wording_check.faults(loket.profile, service, text, known, fit=False):
        raise Invalid(faults)
    longest = max(known, key=lambda one: len(" ".join(one.titles)))
    signer = longest if sample == "longest" else known[0]
    return certificate.render(wording_check.sample(loket.profile, service, text, signer, sample))


def signers(loket: Loket) -> tuple[Signer, ...]:
    """Whoever may stand under a letter: of the office's file, and by a mandate given here."""
    rows = Mandate.select().where(Mandate.ended_at.is_null())
    given = (
        Signer.model_construct(
            titles=tuple(json.loads(row.titles)), name=row.name, rank=row.rank, nip=row.nip
        )
        for row in rows
    )
    return (*loket.profile.signers, *given)
