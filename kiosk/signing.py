"""A finished letter signed: with the office's own key, through BSrE, or by hand on its sheet.

The way is the letter's, from the office's file; none ever takes another's place.
"""

from dataclasses import dataclass

from kiosk import certificate
from kiosk.loket import Loket
from kiosk.service import Signing


@dataclass(frozen=True)
class Signed:
    """The finished bytes; `reference` is the id that a PSrE gave them."""

    pdf: bytes
    reference: str = ""


def sign(loket: Loket, text: certificate.Letter, way: Signing, now: int) -> Signed:
    """Render, sign and read back. Raises Unusable, and then there is no letter.

    One to be signed by hand has no electronic signature, which would claim what only the sheet has.
    """
    if way == "wet_ink":
        return Signed(certificate.unsigned(text))
    return Signed(certificate.make(text, loket.office_key, now))
