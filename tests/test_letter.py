"""The letter's text and its page with the longest and the barest data that people have."""

import re
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from kiosk import certificate, letter, wording_check
from kiosk.certificate import Letter, read_qr, render
from kiosk.errors import Unusable
from kiosk.letter import SIGNED
from kiosk.office_file import load

MM = 72 / 25.4
PROFILE = load("lebak")
SERVICE = PROFILE.letters[0]
SIGNER = PROFILE.signers[0]
PERSON = {
    "name": "SITI AMINAH", "nik": "1234567890123456", "kk": "1234567890123456",
    "birth_place": "LEBAK", "birth_date": "1990-08-17", "sex": "P", "address": "KP. CIKUMPAY",
    "rt": "010", "rw": "007", "village": "RANGKASBITUNG BARAT", "district": "RANGKASBITUNG",
}  # fmt: skip
TWELVE = (
    "PKH, BPNT, PBI-JK, PIP, KIP KULIAH, BLT DANA DESA, ATENSI, YAPI, PENA, RUTILAHU, SEMBAKO "
    "LANSIA, SUBSIDI LISTRIK"
)
URL = "https://loket.dinsos.lebakkab.go.id/v/"  # with its digits, as long as an address may be


def digits() -> str:
    return str(int.from_bytes(bytes([1]) + bytes(range(80)), "big"))


def made(
    person: dict[str, str] | None = None, check: dict[str, str] | None = None, **over: Any
) -> Letter:
    """Lebak's letter of these facts."""
    facts = replace(
        wording_check._facts(SERVICE, "usual"),
        number="400.9.1/418/DINSOS/2026",
        person=PERSON | (person or {}),
        check={"as_of": "2026-11-01", "register_id": "3602", "programmes": "PKH"} | (check or {}),
    )
    url = URL + digits()
    found = letter.write(PROFILE, SERVICE, SERVICE.letter, facts, SIGNER, url, draft=False)
    return replace(found, **over)


@dataclass(frozen=True)
class Box:
    """A piece of text on the page, in points from below."""

    left: float
    bottom: float
    right: float
    top: float
    text: str

    def overlaps(self, other: "Box") -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        up = min(self.top, other.top) - max(self.bottom, other.bottom)
        return across > 1 and up > 1


def boxes(pdf: bytes) -> tuple[list[Box], Box]:
    """The words of the page where they stand, and the QR."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        text = page.get_textpage()
        rects = [text.get_rect(n) for n in range(text.count_rects())]
        found = [Box(*rect, text.get_text_bounded(*rect).strip()) for rect in rects]
        image = next(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]))
        code = Box(*image.get_bounds(), "QR")
        text.close()
    return [box for box in found if box.text], code


FULL = {
    "name": ("MUHAMMAD ABDURRAHMAN " * 5)[:100].strip(),
    "birth_place": ("KABUPATEN HULU " * 4)[:60].strip(),
    "birth_date": "1990-09-30",
    "address": ("PERUMAHAN GRIYA ASRI BLOK " * 8)[:160].strip(),
    "village": ("RANGKASBITUNG " * 5)[:60].strip(),
    "district": ("RANGKASBITUNG " * 5)[:60].strip(),
}
CASES: dict[str, Letter] = {
    "plain": made(),
    "long name": made({"name": FULL["name"]}),
    "long unbroken name": made({"name": "W" * 100}),
    "no RT and RW": made({"rt": "", "rw": ""}),
    "an RT alone": made({"rw": ""}),
    "no birth place": made({"birth_place": ""}),
    "no birth at all": made({"birth_place": "", "birth_date": ""}),
    "no village": made({"village": "", "district": "", "address": ""}),
    "twelve programmes": made(check={"programmes": TWELVE}),
    "no programme": made(check={"programmes": "", "register_id": ""}),
    "longest address": made({"address": FULL["address"]}),
    "unbroken address": made({"address": "A" * 160}),
    "four titles and copies": made(
        signer_titles=(
            "a.n. Kepala Dinas Sosial Kabupaten Lebak",
            "Kepala Bidang Perlindungan dan Jaminan Sosial",
            "u.b. Kepala Seksi Identifikasi dan Penguatan Kapasitas",
            "Plh. Kepala Seksi Verifikasi dan Validasi Data Terpadu,",
        ),
        signer_name="Prof. Dr. Drs. H. Raden Muhammad Contoh Kusumadiningrat, S.Sos., M.Si., M.AP.",
        copies=("Bupati Lebak sebagai laporan", "Camat Rangkasbitung", "Kepala Desa", "Arsip"),
    ),
    "signs of transliteration": made(
        {
            "name": "I GUSTI NGURAH A\u1e44GR\u0112K \u00c7AKRA",
            "address": "JL. MU\u1e24AMMAD \u1e62\u0100LI\u1e24 \u02bfAL\u012a \u1e0cIY\u0100\u02be",
        }
    ),
    "signed through BSrE": made(signed_note=SIGNED["bsre"]),
    "all at once": made(
        FULL,
        {"programmes": TWELVE, "register_id": "ID DTKS " * 5},
        signed_note=SIGNED["bsre"],
        freeze="Keterangan ini " * 10,
        signer_titles=("Kepala Bidang Perlindungan dan Jaminan Sosial Kab. Contoh,",) * 4,
        copies=("Bupati Lebak sebagai laporan atas pelayanan surat keterangan",) * 4,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_word_is_on_the_one_page_unclipped_and_none_stands_on_another(name: str) -> None:
    said = CASES[name]
    pdf = render(said)
    assert certificate.page_count(pdf) == 1
    found, code = boxes(pdf)
    left, right, bottom, top = 25 * MM - 1, 190 * MM + 1, 8 * MM, 286 * MM
    assert all(left < box.left and box.right < right for box in found)
    assert all(bottom < box.bottom and box.top < top for box in found)
    pairs = combinations([*found, code], 2)
    assert [(a.text, b.text) for a, b in pairs if a.overlaps(b)] == []
    assert read_qr(pdf) == said.verify_url
    shown = flat(" ".join(box.text for box in found))
    values = [value for _, value in (*said.rows, *said.findings)]
    for line in (*values, *said.signer_titles, *said.copies, said.freeze, said.signed_note):
        assert flat(certificate.in_font(line)) in shown
    assert said.verify_code in shown


def flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_what_is_missing_leaves_no_empty_row() -> None:
    assert dict(CASES["no RT and RW"].rows)["Alamat"] == "KP. CIKUMPAY"
    assert dict(CASES["an RT alone"].rows)["Alamat"] == "KP. CIKUMPAY"
    assert dict(CASES["no birth place"].rows)["Tanggal lahir"] == "17 Agustus 1990"
    labels = [label for label, _ in CASES["no birth at all"].rows]
    assert not {"Tanggal lahir", "Tempat, tanggal lahir"} & set(labels)
    assert "Desa/Kelurahan" not in dict(CASES["no village"].rows)
    assert [label for label, _ in CASES["no programme"].findings] == ["Status"]


def test_the_code_under_the_qr_is_large_enough_for_a_cheap_printer() -> None:
    """At 203 dpi a capital is at least twelve dots high."""
    said = CASES["plain"]
    found, code = boxes(render(said))
    (box,) = (box for box in found if said.verify_code in box.text)
    assert (box.top - box.bottom) / 72 * 203 >= 12
    assert box.top < code.bottom
    assert box.left < code.right


def test_what_does_not_fit_is_refused_in_words_and_never_shrunk_past_reading() -> None:
    with pytest.raises(Unusable, match="bagian rows melebihi"):
        render(made({"address": "A" * 191}))
    wide = ("WWWWWWWWWW " * 40)[:330].strip()
    wider = {part: wide[: certificate.CAPS[part][1]] for part in wording_check.PARTS[2:-1]}
    person = FULL | {"name": wide[:100], "address": wide[:160], "village": wide[:60]}
    with pytest.raises(Unusable, match="tidak muat satu halaman"):
        render(made(person, {"programmes": wide[:190]}, **wider, copies=(wide[:60],) * 4))
    with pytest.raises(Unusable, match=r"huruf U\+4E2D"):
        render(made({"name": "SITI \u4e2d"}))
    assert min(certificate.SIZES) >= 7.8
