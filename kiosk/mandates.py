"""Who may sign today, and in which form it stands under the letter."""

from kiosk.errors import NotAllowed
from kiosk.loket import Loket
from kiosk.profile import Signer
from kiosk.service import LetterText
from kiosk.staff import Actor


def of(loket: Loket, text: LetterText, actor: Actor, now: int) -> Signer:
    """The mandate that stands under this letter when `actor` signs it or draws it up today.

    With a key or a certificate that of who signs; by hand the one that the office's file names, or
    the first that holds. Raises NotAllowed without one.
    """
    day = loket.calendar.day_of(now)
    if text.signing == "wet_ink":
        wanted = (one for one in loket.profile.signers if text.signer in (None, one.role))
        signer = next((one for one in wanted if one.holds_on(day)), None)
    else:
        signer = loket.profile.signer(actor.role, day)
    if signer is None:
        raise NotAllowed("Tidak ada mandat tanda tangan yang berlaku untuk surat ini hari ini.")
    return signer
