"""What becomes of a letter after it was issued: revoked, replaced. Its bytes stay as they are."""

from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Audit, Letter, transaction


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
