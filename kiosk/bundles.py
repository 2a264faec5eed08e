"""Sheets over many proposals: Berita Acara of a musyawarah, surat pengesahan of the regional head.

The order is number → annex → front → archive → the households move on. The number is taken in one
transaction and the sheet released in another, for its pages may take longer than a request; between
the two it is `making`, and a try that was cut off is taken up again with its number. A frozen sheet
never changes: its bytes lie under the vault's lock, their hash in its row.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from peewee import chunked

from kiosk import (
    bundle_sheet,
    documents,
    forms,
    mandates,
    numbers,
    periods,
    proposals,
    versions,
    words,
)
from kiosk.annex import Progress
from kiosk.bundle_lists import (
    NOT_YOURS,
    VOIDABLE,
    BundleView,
    Candidates,
    candidates,
    defined,
    defined_at,
    facts_of,
    find,
    listed,
    open_ones,
    read,
    steps_before,
    village_of,
)
from kiosk.bundle_sheet import MANDATE, Made, Told
from kiosk.documents import Owner
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale, Unusable
from kiosk.files import fsync_folder, write_new
from kiosk.forms import Given, Value
from kiosk.loket import Loket
from kiosk.profile import Signer
from kiosk.service import Bundle, ProposalService
from kiosk.staff import Actor
from models import Application, Audit, BundleItem, Period, Proposal, transaction
from models import Bundle as Sheet

__all__ = [
    "BundleView", "Candidates", "candidates", "expire", "freeze", "listed", "pdf", "read", "sign",
    "signed_pdf", "steps_before", "void",
]  # fmt: skip

CLAIM_S = 300
BATCH = 500
WET_INK, ELECTRONIC = "tinta basah", "TTE"
LOCK = "bundle.pdf"
CHANGED = "Usulan di dalam lembar ini berubah selagi dibuat. Ulangi."
IN_WORK = "Lembar ini sedang dibuat. Tunggu sampai selesai."


# --- freezing -------------------------------------------------------------------------------


def freeze(
    loket: Loket,
    service_id: str,
    bundle_id: str,
    given: Given,
    village: str,
    period: str,
    actor: Actor,
    now: int,
    progress: Progress | None = None,
) -> int:
    """Number and freeze the sheet over what stands ready, and move that on; the sheet's id.

    `progress` is told (done, total): 300 pages take some seconds, so run it as a job. Raises
    NotAllowed, NotFound, Invalid by field (also when nothing stands ready), Stale while it is made
    or when a household changed under it, Unusable for a text that cannot be printed: then nothing
    has moved, and the next try has the same number.
    """
    service, bundle = defined(loket, service_id, bundle_id, actor)
    village = village_of(loket, bundle, village, actor)
    values = forms.read_fields(service, bundle.fields, given)
    day = loket.calendar.day_of(now)
    signer = _signer(loket, bundle, values, day)
    row, seqs = _claim(loket, service, bundle, values, village, period, actor, now)
    try:
        told = Told(row.number, day, words.period(period), village, values, signer)
        made = bundle_sheet.make(loket, service, bundle, told, seqs, progress)
        part = _write(path_of(loket, row), loket.vault.lock(LOCK, made.pdf))
    except BaseException:
        _let_go(row)
        raise
    try:
        _release(loket, row, bundle, values, made, part, seqs, actor, now)
    except BaseException:
        part.unlink(missing_ok=True)
        _let_go(row)
        raise
    return int(row.id)


def _claim(
    loket: Loket,
    service: ProposalService,
    bundle: Bundle,
    values: Mapping[str, Value],
    village: str,
    period: str,
    actor: Actor,
    now: int,
) -> tuple[Sheet, dict[int, int]]:
    """Take the number, or the one that an earlier try left; the households with their `seq`."""
    day = loket.calendar.day_of(now)
    with transaction():
        month = periods.find(service.id, period)
        row = _unfinished(service, bundle, village, month)
        if row and now - row.frozen_at < CLAIM_S:
            raise Stale(IN_WORK)
        seqs = _ready(service, bundle, village, month)
        if not seqs:
            raise Invalid({"bundle": "Belum ada usulan yang dapat dimuat dalam lembar ini."})
        row = row or Sheet(number=_number(service, bundle, day), state="making")
        row.service, row.kind, row.period, row.village = service.id, bundle.id, month, village
        row.version = versions.remember(loket, now)
        row.facts_ct = loket.vault.lock_json("bundle", {"values": values})
        row.frozen_at, row.frozen_by_id = now, actor.id
        row.save()
        BundleItem.delete().where(BundleItem.bundle == row).execute()
        items = [
            {"bundle": row.id, "application": id_, "position": n} for n, id_ in enumerate(seqs, 1)
        ]
        for some in chunked(items, BATCH):
            BundleItem.insert_many(some).execute()
    return row, seqs


def _unfinished(
    service: ProposalService, bundle: Bundle, village: str, period: Period
) -> Sheet | None:
    found: Sheet | None = Sheet.get_or_none(
        (Sheet.service == service.id)
        & (Sheet.kind == bundle.id)
        & (Sheet.village == village)
        & (Sheet.period == period)
        & (Sheet.state == "making")
    )
    return found


def _ready(
    service: ProposalService, bundle: Bundle, village: str, period: Period
) -> dict[int, int]:
    """Application → its `seq`, in the sheet's order: by village, then by number."""
    query = open_ones(service, period, village).select(Application.id, Application.seq)
    ready = query.where(Application.step.in_(bundle.collects))
    return dict(ready.order_by(Proposal.village, Application.id).tuples())


def _number(service: ProposalService, bundle: Bundle, day: date) -> str:
    no = numbers.take(f"bundle:{service.id}:{bundle.id}", str(day.year))
    return words.letter_number(bundle.number, no, day)


def _signer(loket: Loket, bundle: Bundle, values: Mapping[str, Value], day: date) -> Signer | None:
    """Whose mandate stands under the sheet: the role chosen, else the file's."""
    role = str(values.get(MANDATE) or bundle.signer or "")
    if not role:
        return None
    signer = mandates.holder(loket, role, day)
    if signer is None:
        raise Invalid({MANDATE: "Pejabat ini tidak memiliki mandat tanda tangan hari ini."})
    return signer


def _release(
    loket: Loket,
    row: Sheet,
    bundle: Bundle,
    values: Mapping[str, Value],
    made: Made,
    part: Path,
    seqs: Mapping[int, int],
    actor: Actor,
    now: int,
) -> None:
    """The sheet counts from now on, and its households stand a step further: all, or nothing."""
    facts = {"values": values, "families": made.families, "persons": made.persons}
    with transaction():
        done = Sheet.update(
            state="frozen",
            annex_sha256=made.annex_sha256,
            pdf_sha256=sha256(made.pdf).hexdigest(),
            facts_ct=loket.vault.lock_json("bundle", facts),
        ).where(_mine(row))
        if not done.execute():
            raise Stale(IN_WORK)
        if _ids_as_seen(seqs) != len(seqs):
            raise Stale(CHANGED)
        if proposals.happened(loket, seqs, f"{bundle.id}.frozen", now, actor) != len(seqs):
            raise Stale(CHANGED)
        Audit.create(at=now, actor=actor.id, what="bekukan lembar", subject=row.number)
        part.replace(path_of(loket, row))
        fsync_folder(part.parent)
        for cut_off in part.parent.glob(f"{path_of(loket, row).stem}.*.part"):
            cut_off.unlink(missing_ok=True)


def _ids_as_seen(seqs: Mapping[int, int]) -> int:
    """How many of these applications are still as they were when the sheet was begun."""
    same = 0
    for some in chunked(seqs, BATCH):
        rows: Any = Application.select(Application.id, Application.seq)
        rows = rows.where(Application.id.in_(some))
        same += sum(seqs[id_] == seq for id_, seq in rows.tuples())
    return same


def _let_go(row: Sheet) -> None:
    """The try failed: the next one need not wait for its claim to run out."""
    with transaction():
        Sheet.update(frozen_at=0).where(_mine(row)).execute()


def _mine(row: Sheet) -> Any:
    """Whether the claim is still this try's: a slow one may have been overtaken."""
    return (Sheet.id == row.id) & (Sheet.state == "making") & (Sheet.frozen_at == row.frozen_at)


def path_of(loket: Loket, row: Sheet) -> Path:
    """Where the sheet's bytes lie, locked: by its id, nothing personal."""
    return loket.archive / "bundles" / f"{row.id:06d}.pdf.lock"


def _write(path: Path, data: bytes) -> Path:
    """The bytes beside their place, there also after the power went; each try has its own."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(f".{secrets.token_hex(4)}.part")
    write_new(part, data)
    return part


def pdf(loket: Loket, bundle_id: int, actor: Actor, now: int) -> bytes:
    """The frozen bytes, the opening noted in the audit.

    Raises NotFound, Stale when what is kept is not what was frozen.
    """
    row = find(loket, bundle_id, actor)
    data = _kept(loket, row)
    _note(row, actor, "buka lembar", now)
    return data


def signed_pdf(loket: Loket, bundle_id: int, actor: Actor, now: int) -> bytes:
    """The file that was signed electronically, byte for byte. Raises NotFound, Stale as `pdf`."""
    row = find(loket, bundle_id, actor)
    if row.signed_how != ELECTRONIC:
        raise NotFound("Lembar ini tidak ditandatangani secara elektronik.")
    data = _unlocked(loket, _signed_path(loket, row))
    if sha256(data).hexdigest() != facts_of(loket, row)["tte"]["sha256"]:
        raise Stale("Berkas lembar di arsip tidak sama dengan yang dibekukan. Hubungi admin.")
    _note(row, actor, "buka lembar", now)
    return data


def _kept(loket: Loket, row: Sheet) -> bytes:
    if not row.pdf_sha256:
        raise NotFound("Lembar ini belum selesai dibuat.")
    data = _unlocked(loket, path_of(loket, row))
    if sha256(data).hexdigest() != row.pdf_sha256:
        raise Stale("Berkas lembar di arsip tidak sama dengan yang dibekukan. Hubungi admin.")
    return data


def _unlocked(loket: Loket, path: Path) -> bytes:
    try:
        return loket.vault.unlock(LOCK, path.read_bytes())
    except FileNotFoundError:
        raise NotFound("Berkas lembar tidak ada di arsip. Hubungi admin.") from None
    except Unusable:
        raise Stale(
            "Berkas lembar di arsip tidak sama dengan yang dibekukan. Hubungi admin."
        ) from None


def _note(row: Sheet, actor: Actor, what: str, now: int) -> None:
    with transaction():
        Audit.create(at=now, actor=actor.id, what=what, subject=row.number)


# --- signing and taking back ----------------------------------------------------------------


def sign(loket: Loket, bundle_id: int, data: bytes, actor: Actor, now: int) -> None:
    """The signed sheet comes back: a scan of the paper, or our PDF signed electronically.

    A PDF that begins with our frozen bytes must go on with nothing but a valid signature: TTE, with
    the name of its certificate. Anything else that can be kept is a scan: wet ink. Raises
    Invalid({"file": reason}), NotAllowed, NotFound, Stale when it is not waiting for a signature.
    """
    from kiosk import tte  # what it needs takes longer to import than all the rest

    row = find(loket, bundle_id, actor)
    bundle = _require_mine(loket, row, actor)
    _require_waiting(loket, row, now)
    frozen = _kept(loket, row)
    if tte.is_ours(data, frozen):
        signature = asdict(tte.check(data, frozen))
        _sign_electronically(loket, row, data, signature, actor, now)
        return
    _keep_scan(loket, row, bundle, data, actor, now)
    with transaction():
        _signed(loket, row, WET_INK, facts_of(loket, row), actor, now)


def scan_again(loket: Loket, bundle_id: int, data: bytes, actor: Actor, now: int) -> None:
    """A better scan of the same signed paper; the earlier one is kept beside it.

    Raises Invalid({"file": reason}), NotAllowed, NotFound, Stale when it was not signed in ink.
    """
    row = find(loket, bundle_id, actor)
    bundle = _require_mine(loket, row, actor)
    if row.state != "signed" or row.signed_how != WET_INK:
        raise Stale("Lembar ini tidak ditandatangani dengan tinta basah.")
    _keep_scan(loket, row, bundle, data, actor, now)
    _note(row, actor, "ganti pindaian lembar", now)


def _keep_scan(
    loket: Loket, row: Sheet, bundle: Bundle, data: bytes, actor: Actor, now: int
) -> None:
    from kiosk import tte

    tte.require_scan(data)
    key = f"bundle:{row.id}:{sha256(data).hexdigest()}"
    documents.add(loket, Owner(bundle=row.id), bundle.scan, data, "counter", key, now, actor)


def _sign_electronically(
    loket: Loket, row: Sheet, data: bytes, signature: Mapping[str, Any], actor: Actor, now: int
) -> None:
    path = _signed_path(loket, row)
    part = _write(path, loket.vault.lock(LOCK, data))
    told = {**signature, "sha256": sha256(data).hexdigest()}
    try:
        with transaction():
            _signed(loket, row, ELECTRONIC, facts_of(loket, row) | {"tte": told}, actor, now)
            part.replace(path)
            fsync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _signed(
    loket: Loket, row: Sheet, how: str, facts: Mapping[str, Any], actor: Actor, now: int
) -> None:
    """Signed from now on; its households stand a step further."""
    waiting = (Sheet.id == row.id) & (Sheet.state == "frozen")
    done = Sheet.update(
        state="signed",
        signed_at=now,
        signed_how=how,
        facts_ct=loket.vault.lock_json("bundle", facts),
    ).where(waiting)
    if not done.execute():
        raise Stale("Lembar ini sudah ditandatangani atau dibatalkan.")
    proposals.happened(loket, _members(row), f"{row.kind}.signed", now, actor)
    Audit.create(at=now, actor=actor.id, what="lembar ditandatangani", subject=row.number)


def _require_waiting(loket: Loket, row: Sheet, now: int) -> None:
    if row.state != "frozen":
        raise Stale("Lembar ini sudah ditandatangani atau dibatalkan.")
    if _over(loket, row, loket.calendar.day_of(now)):
        raise Stale("Periodenya sudah berakhir: usulannya pindah ke periode berikutnya.")


def _over(loket: Loket, row: Sheet, today: date) -> bool:
    """A pengesahan that came too late: what waits for it has moved, or is about to."""
    bundle = defined_at(loket, row)
    if bundle is None or bundle.template != "pengesahan":
        return False
    if row.period.closes >= today.isoformat():
        return False
    one = Application.select().join(BundleItem).where(BundleItem.bundle == row).first()
    return one is not None and versions.step_of(loket, one).carries


def _signed_path(loket: Loket, row: Sheet) -> Path:
    return loket.archive / "bundles" / f"{row.id:06d}-tte.pdf.lock"


def void(loket: Loket, bundle_id: int, reason: str, actor: Actor, now: int) -> None:
    """Draw a sheet back: its households return to where they were, its number stays taken.

    Also one whose making was cut off and that nobody takes up again. Raises Invalid without a
    reason, NotAllowed, NotFound, Stale once it is signed or void.
    """
    row = find(loket, bundle_id, actor)
    _require_mine(loket, row, actor)
    if not reason.strip():
        raise Invalid({"reason": "Tulis alasan pembatalan."})
    with transaction():
        _void(loket, row, " ".join(reason.split())[:500], actor, now)


def expire(loket: Loket, now: int) -> int:
    """Void the pengesahan that nobody signed before its period was over; how many there were.

    Their households stand finalised again, and `periods.roll` takes them along.
    """
    today = loket.calendar.day_of(now)
    late = (
        Sheet.select(Sheet, Period)
        .join(Period)
        .where((Sheet.state == "frozen") & (Period.closes < today.isoformat()))
    )
    over = [row for row in late if _over(loket, row, today)]
    for row in over:
        with transaction():
            _void(loket, row, "Periode berakhir sebelum ditandatangani.", None, now)
    return len(over)


def _void(loket: Loket, row: Sheet, reason: str, actor: Actor | None, now: int) -> None:
    if row.state == "making" and now - row.frozen_at < CLAIM_S:
        raise Stale(IN_WORK)
    facts = facts_of(loket, row) | {"reason": reason}
    done = Sheet.update(state="void", facts_ct=loket.vault.lock_json("bundle", facts)).where(
        (Sheet.id == row.id) & (Sheet.state == row.state) & Sheet.state.in_(VOIDABLE)
    )
    if not done.execute():
        raise Stale("Lembar ini sudah ditandatangani atau dibatalkan.")
    if row.state == "frozen":  # one that was never finished has moved nobody
        proposals.unhappened(loket, _members(row), f"{row.kind}.frozen", now, actor)
    Audit.create(at=now, actor=actor and actor.id, what="batalkan lembar", subject=row.number)


def _members(row: Sheet) -> list[int]:
    items = BundleItem.select(BundleItem.application).where(BundleItem.bundle == row)
    return [item.application_id for item in items.order_by(BundleItem.position)]


def _require_mine(loket: Loket, row: Sheet, actor: Actor) -> Bundle:
    bundle = defined_at(loket, row)
    if bundle is None or actor.role not in bundle.roles:
        raise NotAllowed(NOT_YOURS)
    return bundle
