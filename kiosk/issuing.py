"""The letter of an application: draft, number, signature, archive, revocation.

The order is number → render → sign → decode the QR → archive → release. The number is taken in
one transaction and the letter released in another, because rendering must not hold up writers; a
letter between the two is `numbered`, has not been issued, and is tried again with its number.

A letter signed by hand (wet ink, stamp) is drawn up first: number → render → archive, and stays
`numbered`, with `drawn_at`: its sheet is printed at the counter, and verification says that it is
not issued. It is released once signature, stamp and copy are confirmed. Its PDF has no electronic
signature, which would claim what only the sheet has; what seals it is the office's key in the QR,
and the archive knows it by its SHA-256. Drawn up again, it keeps its number.
"""

import os
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from kiosk import certificate, letter, numbers, versions, words
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.letter import Facts
from kiosk.loket import Loket
from kiosk.profile import Signer
from kiosk.seal import Core, Result, initials, print_check
from kiosk.service import LetterService
from kiosk.staff import Actor
from kiosk.vault import fsync_folder
from models import Application, Audit, Letter, transaction

CLAIM_S = 60


@dataclass(frozen=True)
class Made:
    """A finished letter beside its place in the archive, not yet released.

    `by_hand`: it is a sheet that waits for signature and stamp.
    """

    letter_id: int
    claimed_at: int
    sha256: str
    part: Path
    path: Path
    by_hand: bool = False


def draft(loket: Loket, application: Application, actor_role: str, now: int) -> bytes:
    """The letter as it will look, as a PDF with a watermark, without number and QR."""
    service = versions.letter_service_of(loket, application)
    signer = _signer(loket, service, actor_role, now)
    day = loket.calendar.day_of(now)
    facts = _facts(loket, application, service, _draft_number(service, day), day)
    said = versions.wording_of(loket, application)
    text = letter.write(said, service, facts, signer, loket.verify_url("1"), draft=True)
    return certificate.render(text)


def _draft_number(service: LetterService, day: date) -> str:
    """The pattern with dots where the number will stand."""
    marked = words.letter_number(service.letter.number, 987654321, day)
    return marked.replace("987654321", "……")


def make(loket: Loket, application_id: int, actor: Actor, seq: int, now: int) -> Made:
    """Number, render, sign and archive the letter; one to be signed by hand unsigned.

    Raises Stale while somebody else signs it, NotAllowed without a mandate, Unusable when it could
    not be made: then it is not issued.
    """
    row = _claim(loket, application_id, actor, seq, now)
    try:
        service = versions.letter_service_of(loket, row.application)
        facts = loket.vault.unlock_json("letter", row.facts_ct)
        signer = _signer(loket, service, actor.role, now)
        said, url = versions.wording_of(loket, row.application), loket.verify_url(facts["digits"])
        text = letter.write(said, service, _thaw(facts), signer, url, False)
        by_hand = service.letter.signing == "wet_ink"
        pdf = _finished(loket, text, by_hand, now)
        path = path_of(loket, row)
        part = path.with_suffix(f".{row.claimed_at}-{actor.id}.part")
        _write(part, pdf)
    except BaseException:
        _let_go(row)
        raise
    return Made(row.id, row.claimed_at, sha256(pdf).hexdigest(), part, path, by_hand)


def _finished(loket: Loket, text: certificate.Letter, by_hand: bool, now: int) -> bytes:
    if by_hand:
        return certificate.unsigned(text)
    return certificate.make(text, loket.office_key, now)


def release(made: Made, now: int) -> None:
    """The letter counts from now on; one by hand is there to be printed and signed.

    Inside the transaction that moves the application on.
    Only the signer who still holds the claim may put the file in place: one who was slower than
    the claim lasts must not replace the letter of the next.
    """
    mine = (
        (Letter.id == made.letter_id)
        & (Letter.state == "numbered")
        & (Letter.claimed_at == made.claimed_at)
    )
    done: dict[str, Any] = {"state": "issued", "issued_at": now}
    if made.by_hand:
        done = {"drawn_at": now, "claimed_at": 0}
    if not Letter.update(sha256=made.sha256, **done).where(mine).execute():
        made.part.unlink(missing_ok=True)
        raise Stale("Surat ini sedang atau sudah ditandatangani orang lain.")
    made.part.replace(made.path)
    fsync_folder(made.path.parent)


def release_by_hand(application_id: int, actor: Actor, now: int) -> int:
    """Signature and stamp are on the sheet: it counts from now on; `actor` has confirmed it.

    Inside the transaction that moves the application on. Since when the sheet is there; raises
    Stale when there is none.
    """
    drawn = _of(application_id, "numbered") & Letter.drawn_at.is_null(False)
    row = Letter.get_or_none(drawn)
    if row is None:
        raise Stale("Surat ini belum dicetak, atau datanya berubah sesudahnya. Cetak lagi dahulu.")
    Letter.update(state="issued", issued_at=now, signer=actor.id).where(drawn).execute()
    return int(row.drawn_at or now)


def spoil(application_id: int) -> None:
    """The data have changed: a sheet drawn up from the old ones must be drawn up again."""
    Letter.update(drawn_at=None).where(_of(application_id, "numbered")).execute()


def _of(application_id: int, state: str) -> Any:
    return (Letter.application == application_id) & (Letter.state == state)


def void(application_id: int) -> None:
    """The application ends without its letter: a number taken for it is void, never deleted."""
    Letter.update(state="void").where(_of(application_id, "numbered")).execute()


def revive(application_id: int) -> None:
    """The application goes on after all: its number is its own again."""
    Letter.update(state="numbered").where(_of(application_id, "void")).execute()


def require_free(application_id: int, now: int) -> None:
    """Nobody is signing this application's letter right now. Raises Stale."""
    row = Letter.get_or_none(Letter.application == application_id)
    if row and row.state == "numbered" and now - row.claimed_at < CLAIM_S:
        raise Stale("Surat ini sedang ditandatangani. Tunggu sebentar.")


def _claim(loket: Loket, application_id: int, actor: Actor, seq: int, now: int) -> Letter:
    """Take the number, or the one that an earlier try left; only one signer at a time."""
    with transaction():
        application = Application.get_by_id(application_id)
        if application.seq != seq:
            raise Stale("Permohonan ini sudah berubah. Yang terbaru ditampilkan.")
        require_free(application_id, now)
        service = versions.letter_service_of(loket, application)
        _signer(loket, service, actor.role, now)
        row = Letter.get_or_none(Letter.application == application_id)
        row = row or _number(loket, application, service, actor, now)
        facts = _facts(loket, application, service, row.number, loket.calendar.day_of(now))
        row.state, row.claimed_at, row.signer_id, row.drawn_at = "numbered", now, actor.id, None
        row.valid_until = facts.valid_until.isoformat()
        row.facts_ct = loket.vault.lock_json("letter", _freeze(loket, row.id, facts))
        row.save()
    return row


def _number(
    loket: Loket, application: Application, service: LetterService, actor: Actor, now: int
) -> Letter:
    day = loket.calendar.day_of(now)
    no = numbers.take(f"letter:{service.letter.kind}", str(day.year))
    return Letter.create(
        application=application,
        kind=service.letter.kind,
        year=day.year,
        no=no,
        number=words.letter_number(service.letter.number, no, day),
        state="numbered",
        claimed_at=now,
        signer=actor.id,
        facts_ct=b"",
        valid_until=day.isoformat(),
    )


def _let_go(row: Letter) -> None:
    """The try failed: the next one need not wait for the claim to run out."""
    with transaction():
        Letter.update(claimed_at=0).where(
            (Letter.id == row.id) & (Letter.state == "numbered")
        ).execute()


def _signer(loket: Loket, service: LetterService, role: str, now: int) -> Signer:
    """Whose mandate stands under it: with the office's key that of who signs; by hand the one that
    the office's file names, or the first that holds.
    """
    day, letter = loket.calendar.day_of(now), service.letter
    if letter.signing == "wet_ink":
        wanted = (one for one in loket.profile.signers if letter.signer in (None, one.role))
        signer = next((one for one in wanted if one.holds_on(day)), None)
    else:
        signer = loket.profile.signer(role, day)
    if signer is None:
        raise NotAllowed(f"Tidak ada mandat tanda tangan yang berlaku untuk {service.title.id}.")
    return signer


def _facts(
    loket: Loket, application: Application, service: LetterService, number: str, day: date
) -> Facts:
    purpose = service.purpose(application.purpose)
    if purpose is None or application.check_ct is None:
        raise NotFound("Surat ini belum dapat dibuat: hasil pengecekan belum ada.")
    check = loket.vault.unlock_json("check", application.check_ct)
    return Facts(
        number=number,
        day=day,
        person=loket.vault.unlock_json("given", application.given_ct),
        check=check,
        check_day=loket.calendar.day_of(check["at"]),
        purpose=purpose.title.id,
        validity_days=purpose.validity_days,
    )


def _freeze(loket: Loket, serial: int, facts: Facts) -> dict[str, Any]:
    key_id, _ = loket.seal_keys.current()
    nik, name = facts.person["nik"], facts.person["name"]
    core = Core(
        key_id=key_id,
        serial=serial,
        issued=facts.day,
        validity_days=facts.validity_days,
        result=Result.REGISTERED,
        check=print_check(serial, nik, name),
        initials=initials(name),
    )
    return {
        **facts.__dict__,
        "day": facts.day.isoformat(),
        "check_day": facts.check_day.isoformat(),
        "digits": loket.seal_keys.seal(core),
    }


def _thaw(frozen: dict[str, Any]) -> Facts:
    rest = {key: value for key, value in frozen.items() if key != "digits"}
    return Facts(
        **rest
        | {
            "day": date.fromisoformat(frozen["day"]),
            "check_day": date.fromisoformat(frozen["check_day"]),
        }
    )


def path_of(loket: Loket, row: Letter) -> Path:
    """Where the letter's bytes lie: by kind, year and number, nothing personal."""
    return loket.archive / row.kind / str(row.year) / f"{row.no:06d}.pdf"


def _write(path: Path, pdf: bytes) -> None:
    """Write the bytes so that they are there, whole, also after the power went."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pdf)
        file.flush()
        os.fsync(file.fileno())


def pdf_of(loket: Loket, application_id: int) -> bytes:
    """The archived bytes of the issued letter, or of the sheet to be signed by hand.

    Raises NotFound, or Stale when they were changed.
    """
    row = Letter.get_or_none((Letter.application == application_id) & (Letter.state != "void"))
    if row is None or (row.state == "numbered" and row.drawn_at is None):
        raise NotFound("Surat ini belum terbit.")
    try:
        pdf = path_of(loket, row).read_bytes()
    except FileNotFoundError:
        raise NotFound("Berkas surat tidak ada di arsip. Hubungi admin.") from None
    if sha256(pdf).hexdigest() != row.sha256:
        raise Stale("Berkas surat di arsip tidak sama dengan yang terbit. Hubungi admin.")
    return pdf


def revoke(
    loket: Loket, application_id: int, reason: str, replacement: str, actor: Actor, now: int
) -> None:
    """Revoke an issued letter; `replacement` is the number of the one that replaces it, or "".

    Raises NotAllowed, Invalid, NotFound, Stale when it was revoked before.
    """
    if not loket.profile.may(actor.role, "revoke"):
        raise NotAllowed("Anda tidak berwenang mencabut surat.")
    if not reason.strip():
        raise Invalid({"reason": "Tulis alasan pencabutan."})
    with transaction():
        row = Letter.get_or_none(
            (Letter.application == application_id) & (Letter.state == "issued")
        )
        if row is None:
            raise NotFound("Surat ini belum terbit.")
        if row.revoked_at is not None:
            raise Stale("Surat ini sudah dicabut.")
        row.replaced_by = _replacement(row, replacement.strip())
        row.revoked_at = now
        row.revoked_ct = loket.vault.lock_json("revoked", {"reason": reason.strip()[:500]})
        row.save()
        Audit.create(at=now, actor=actor.id, what="cabut surat", subject=row.number)


def _replacement(row: Letter, number: str) -> Letter | None:
    if not number:
        return None
    found = Letter.get_or_none((Letter.number == number) & (Letter.state == "issued"))
    if found is None or found.id == row.id or found.revoked_at is not None:
        raise Invalid({"replacement": "Nomor surat pengganti tidak ada atau tidak berlaku."})
    return found
