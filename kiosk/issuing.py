"""The letter of an application: draft, number, signature, archive, release.

The order is number → render → sign → decode the QR → archive → release. The number is taken in
one transaction and the letter released in another, because rendering must not hold up writers; a
letter between the two is `numbered`, has not been issued, and is tried again with its number.

A letter signed by hand (wet ink, stamp) is drawn up first: number → render → archive, and stays
`numbered`, with `drawn_at`: its sheet is printed at the counter, and verification says that it is
not issued. It is released once signature, stamp and copy are confirmed. Its PDF has no electronic
signature, which would claim what only the sheet has; what seals it is the office's key in the QR,
and the archive knows it by its SHA-256. Drawn up again, it keeps its number.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from kiosk import (
    archive,
    certificate,
    letter,
    letter_facts,
    mandates,
    numbers,
    signing,
    versions,
    words,
)
from kiosk.errors import Stale
from kiosk.loket import Loket
from kiosk.service import Action, LetterText, Step
from kiosk.staff import Actor
from models import Application, Letter, transaction

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


def made_at(step: Step) -> str | None:
    """The kind of letter that this step's acts make; None is the service's first."""
    makers = (a for a in step.actions if {"issue", "draw_up"} & set(a.does))
    return next((action.letter for action in makers), None)


def draft(loket: Loket, application: Application, actor: Actor, now: int) -> bytes:
    """The letter as it will look, as a PDF with a watermark, without number and QR."""
    service = versions.letter_service_of(loket, application)
    text = service.letter_of(made_at(service.step(application.step)))
    signer = mandates.of(loket, text, actor, now)
    day = loket.calendar.day_of(now)
    facts = letter_facts.of(loket, application, service, _draft_number(text, day), day)
    said, url = versions.wording_of(loket, application), loket.verify_url("1")
    return certificate.render(letter.write(said, service, text, facts, signer, url, draft=True))


def _draft_number(text: LetterText, day: date) -> str:
    """The pattern with dots where the number will stand."""
    marked = words.letter_number(text.number, 987654321, day)
    return marked.replace("987654321", "……")


def make(
    loket: Loket, application_id: int, action: Action, actor: Actor, seq: int, now: int
) -> Made:
    """Number, render, sign and archive the letter of this act; one to be signed by hand unsigned.

    Raises Stale while somebody else signs it, NotAllowed without a mandate, Unusable when it could
    not be made: then it is not issued.
    """
    row = _claim(loket, application_id, action, actor, seq, now)
    try:
        service = versions.letter_service_of(loket, row.application)
        text = service.letter_of(row.kind)
        frozen = loket.vault.unlock_json("letter", row.facts_ct)
        signer, facts = mandates.of(loket, text, actor, now), letter_facts.thaw(frozen)
        said, url = versions.wording_of(loket, row.application), loket.verify_url(frozen["digits"])
        finished = letter.write(said, service, text, facts, signer, url, draft=False)
        pdf = signing.sign(loket, finished, text.signing, now).pdf
        path = archive.path_of(loket, row)
        part = path.with_suffix(f".{row.claimed_at}-{actor.id}.part")
        archive.write(part, pdf)
    except BaseException:
        _let_go(row)
        raise
    hash_ = sha256(pdf).hexdigest()
    return Made(row.id, row.claimed_at, hash_, part, path, text.signing == "wet_ink")


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
    archive.put(made.part, made.path)


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


def _claim(
    loket: Loket, application_id: int, action: Action, actor: Actor, seq: int, now: int
) -> Letter:
    """Take the number, or the one that an earlier try left; only one signer at a time."""
    with transaction():
        application = Application.get_by_id(application_id)
        if application.seq != seq:
            raise Stale("Permohonan ini sudah berubah. Yang terbaru ditampilkan.")
        require_free(application_id, now)
        service = versions.letter_service_of(loket, application)
        text, day = service.letter_of(action.letter), loket.calendar.day_of(now)
        mandates.of(loket, text, actor, now)
        row = Letter.get_or_none(Letter.application == application_id)
        row = row or _number(application, text, actor, now, day)
        facts = letter_facts.of(loket, application, service, row.number, day)
        row.state, row.claimed_at, row.signer_id, row.drawn_at = "numbered", now, actor.id, None
        row.signing, row.seal_key = text.signing, loket.seal_keys.current()[0]
        row.valid_until = facts.valid_until.isoformat()
        frozen = letter_facts.freeze(loket, text, row.id, facts)
        row.facts_ct = loket.vault.lock_json("letter", frozen)
        row.save()
    return row


def _number(
    application: Application, text: LetterText, actor: Actor, now: int, day: date
) -> Letter:
    no = numbers.take(f"letter:{text.kind}", str(day.year))
    return Letter.create(
        application=application,
        kind=text.kind,
        year=day.year,
        no=no,
        number=words.letter_number(text.number, no, day),
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
