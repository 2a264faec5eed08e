"""The letter of an application: draft, number, signature, archive, release.

The order is number → render → sign → decode the QR → archive → release. The number is taken in
one transaction and the letter released in another, because rendering must not hold up writers; a
letter between the two is `numbered`, has not been issued, and is tried again with its number. Its
file takes its place on the disk before the release is committed, so that what the database calls
issued is there; what a cut left in that place is a letter that was never issued.

A letter signed by hand (wet ink, stamp) is drawn up first: number → render → archive, and stays
`numbered`, with `drawn_at`: its sheet is printed at the counter, and verification says that it is
not issued. It is released once signature, stamp and copy are confirmed. Its PDF has no electronic
signature, which would claim what only the sheet has; what seals it is the office's key in the QR,
and the archive knows it by its SHA-256. Drawn up again, it keeps its number.

A number is of the letter's kind and of the year of its date. A try of another kind, or of the new
year, takes a number of its own, and the one before is void: taken, and nobody else's.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from kiosk import (
    archive,
    certificate,
    letter,
    letter_facts,
    letter_status,
    mandates,
    numbers,
    signing,
    versions,
    wording,
    words,
)
from kiosk.errors import Stale
from kiosk.loket import Loket
from kiosk.service import Action, LetterText, Signing, Step
from kiosk.staff import Actor
from models import Application, Letter, VoidNumber, transaction

# Longer than the slowest way to sign: a claim that ran out would let a second one begin meanwhile.
CLAIM_S = 180


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
    reference: str = ""
    certificate: str = ""


def made_at(step: Step) -> str | None:
    """The kind of letter that this step's acts make; None is the service's first."""
    makers = (a for a in step.actions if {"issue", "draw_up"} & set(a.does))
    return next((action.letter for action in makers), None)


def draft(loket: Loket, application: Application, actor: Actor, now: int) -> bytes:
    """The letter as it will look, as a PDF with a watermark, without number and QR."""
    service = versions.letter_service_of(loket, application)
    kind = made_at(service.step(application.step))
    text, _ = wording.of(loket, application, service.letter_of(kind))
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
    loket: Loket,
    application_id: int,
    action: Action,
    actor: Actor,
    seq: int,
    now: int,
    passphrase: str = "",
) -> Made:
    """Number, render, sign and archive the letter of this act; one to be signed by hand unsigned.

    `passphrase` is that of the signer's certificate, for BSrE alone. Raises Stale while somebody
    else signs it, NotAllowed without a mandate, Invalid({"passphrase": …}) for a wrong one,
    Unusable when it could not be made: then it is not issued.
    """
    row = _claim(loket, application_id, action, actor, seq, now)
    path = archive.path_of(loket, row)
    part = archive.part_of(path, row.claimed_at, actor.id)
    try:
        finished, way = letter_facts.text_of(loket, row), cast(Signing, row.signing)
        signed = signing.sign(loket, finished, way, actor, passphrase, now)
        archive.write(part, signed.pdf)
    except BaseException:
        _give_up(row.id, row.claimed_at, part)
        raise
    hash_, by_hand = sha256(signed.pdf).hexdigest(), way == "wet_ink"
    told = (signed.reference, signed.certificate)
    return Made(row.id, row.claimed_at, hash_, part, path, by_hand, *told)


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
    done |= {"reference": made.reference, "certificate": made.certificate}
    if not Letter.update(sha256=made.sha256, **done).where(mine).execute():
        made.part.unlink(missing_ok=True)
        raise Stale("Surat ini sedang atau sudah ditandatangani orang lain.")
    if not made.by_hand:
        letter_status.take_place(made.letter_id, now)
    archive.put(made.part, made.path, over=made.by_hand)


def abandon(made: Made) -> None:
    """It could not be released: the next try need not wait, and its file is gone."""
    _give_up(made.letter_id, made.claimed_at, made.part)


def recover(loket: Loket) -> None:
    """As the one server starts, nobody signs: what a cut left claimed or half written is free."""
    with transaction():
        Letter.update(claimed_at=0).where(
            (Letter.state == "numbered") & (Letter.claimed_at > 0)
        ).execute()
    archive.sweep(loket)


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
    letter_status.take_place(row.id, now)
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
        letter_status.require_place(loket, application, now)
        service = versions.letter_service_of(loket, application)
        text, said = wording.of(loket, application, service.letter_of(action.letter))
        signer, day = mandates.of(loket, text, actor, now), loket.calendar.day_of(now)
        row = _numbered(application, text, actor, now, day)
        facts = letter_facts.of(loket, application, service, row.number, day)
        row.state, row.claimed_at, row.signer_id, row.drawn_at = "numbered", now, actor.id, None
        row.signing, row.seal_key = text.signing, loket.seal_keys.current()[0]
        row.wording_id = said
        row.valid_until = facts.valid_until.isoformat()
        frozen = letter_facts.freeze(loket, application, service, text, signer, row.id, facts)
        row.facts_ct = loket.vault.lock_json("letter", frozen)
        row.save()
    return row


def _numbered(
    application: Application, text: LetterText, actor: Actor, now: int, day: date
) -> Letter:
    """The letter's row; its number is of the kind and year of the letter that is made today.

    An earlier try's is kept where it is, else void. Raises Stale for a letter that is out.
    """
    row: Letter | None = Letter.get_or_none(Letter.application == application)
    if row is None:
        return _first(application, text, actor, now, day)
    if row.state == "issued":
        raise Stale("Surat ini sudah terbit.")
    if (row.kind, row.year) != (text.kind, day.year):
        taken = {name: getattr(row, name) for name in ("kind", "year", "no", "number")}
        VoidNumber.create(application=application, at=now, **taken)
        row.kind, row.year = text.kind, day.year
        row.no = numbers.take(f"letter:{text.kind}", str(day.year))
    row.number = words.letter_number(text.number, row.no, day)
    return row


def _first(application: Application, text: LetterText, actor: Actor, now: int, day: date) -> Letter:
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


def _give_up(letter_id: int, claimed_at: int, part: Path) -> None:
    """The try failed: the next one need not wait for this claim to run out."""
    with transaction():
        Letter.update(claimed_at=0).where(
            (Letter.id == letter_id)
            & (Letter.state == "numbered")
            & (Letter.claimed_at == claimed_at)
        ).execute()
    with suppress(OSError):  # a disk that takes no letter may not give one up either
        part.unlink(missing_ok=True)
