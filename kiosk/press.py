"""HTML to PDF through xhtml2pdf, with our own fonts and nothing from outside."""

from functools import lru_cache
from io import BytesIO

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus.tables import CellStyle
from xhtml2pdf import pisa
from xhtml2pdf.config.resources import ResourceAccessPolicy

from kiosk.certificate import FACES, FONTS
from kiosk.errors import Unusable

# Without it every file holds its own time and id, and the same letter is never the same bytes.
rl_config.invariant = 1
# Streams as they are: written as text they take longer and are a quarter larger.
rl_config.useA85 = 0

# ReportLab names a first font in each file and each table cell, used or not: ours, under the name
# that xhtml2pdf gives it, so that no file speaks of a Helvetica that it does not hold.
pdfmetrics.registerFont(TTFont("atkinson_00", str(FONTS / FACES[0])))
rl_config.canvas_basefontname = CellStyle.fontname = "atkinson_00"


def to_pdf(html: str) -> bytes:
    """The PDF of this HTML; one at a time. Raises `Unusable` when xhtml2pdf finds a fault in it."""
    pdf = BytesIO()
    try:
        status = pisa.CreatePDF(
            html, dest=pdf, path=str(FONTS / "letter.html"), resource_policy=_policy()
        )
    except Exception:  # ReportLab's own messages quote the letter's text: nothing of them goes on.
        raise Unusable("Surat belum terbit: pembuatan PDF gagal.") from None
    if status.err or status.warn:
        raise Unusable("Surat belum terbit: pembuatan PDF tidak bersih.")
    return pdf.getvalue()


@lru_cache(maxsize=1)
def _policy() -> ResourceAccessPolicy:
    return ResourceAccessPolicy.server(FONTS, allow_remote=False)
