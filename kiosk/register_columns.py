"""Which column of an export is what.

No official layout was found, so a column is known by its heading, in any of the words seen in
the field, without case, spaces, dots, underscores and slashes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

TEXT_MAX = 200

# The first heading that a file has wins, so the surest come first. `peringkat` is left out on
# purpose: it may be a rank among a hundred, and read as a desil it would open a wrong door.
HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "nik": (
        *("nik", "nonik", "nomornik", "nikktp", "noktp", "nomorktp", "nomorindukkependudukan"),
        *("nikpenerima", "nikkpm", "nikpengurus", "nikart", "nikanggotakeluarga"),
        "nikkepalakeluarga",
    ),
    "kk": ("nokk", "nomorkk", "nokartukeluarga", "nomorkartukeluarga", "kk", "nkk"),
    "name": (
        *("nama", "namalengkap", "namaktp", "namapenerima", "nmpenerima", "namakpm"),
        *("namapengurus", "namaart", "namaanggotakeluarga", "namakepalakeluarga", "namakk"),
    ),
    "birth_place": ("tempatlahir", "tmplahir", "tmptlahir", "tempatlhr"),
    "birth_date": ("tanggallahir", "tgllahir", "tgllhr", "tanggallhr"),
    "birth": ("tempattanggallahir", "tempattgllahir", "tempatdantanggallahir", "ttl"),
    "sex": ("jeniskelamin", "jnskelamin", "kelamin", "jk", "lp", "gender"),
    "address": ("alamat", "alamatlengkap", "alamatktp", "alamatkk", "alamatrumah"),
    "rt": ("rt", "nort"),
    "rw": ("rw", "norw"),
    "rt_rw": ("rtrw",),
    "village": (
        *("desakelurahan", "desakeluarahan", "kelurahandesa", "desakel", "keldesa", "desa"),
        *("kelurahan", "namadesa", "nmdesa", "namakelurahan", "namakel", "nmkel"),
        "namadesakelurahan",
    ),
    "district": ("kecamatan", "namakecamatan", "namakec", "nmkec", "kec"),
    "register_id": (
        *("iddtks", "iddtsen", "idsemesta", "idbdt", "nomoridbdtkpm", "idbdtkpm", "nomoriddtks"),
        *("idart", "idindividu", "idkeluarga"),
    ),
    "rank": ("desilnasional", "desil", "desildtsen", "desilkesejahteraan", "desilkeluarga"),
    "match": (
        *("keteranganpadan", "statuspadan", "padandukcapil", "statuspadandukcapil"),
        *("ketpadan", "hasilpadan", "padan"),
    ),
    "relation": (
        *("hubkeluarga", "hubkepalakeluarga", "hubungankeluarga", "hubungankepalakeluarga"),
        *("hubungandengankepalakeluarga", "statushubungandalamkeluarga", "shdk", "hubungan"),
    ),
    "aid": ("bansos", "programbansos", "jenisbansos", "jenisbantuan", "program", "bantuan"),
}
PROGRAMMES: Final[Mapping[str, str]] = {
    "bpnt": "BPNT",
    "sembako": "SEMBAKO",
    "sembakoadaptif": "SEMBAKO ADAPTIF",
    "bpntppkm": "BPNT-PPKM",
    "pkh": "PKH",
    "bst": "BST",
    "pbi": "PBI-JK",
    "pbijk": "PBI-JK",
    "pbijkn": "PBI-JK",
}
_COUNTERS: Final = frozenset({"no", "nomor", "nourut", "nomorurut"})
_EMPTY: Final = frozenset({"NULL", "\\N", "-", "#N/A"})
_UNTIDY: Final = ("  ", " |", "| ", "|'", "|=")


@dataclass(frozen=True)
class Columns:
    """Where a file keeps what: field → index, -1 where it does not."""

    headings: tuple[str, ...]
    at: Mapping[str, int]
    aid_flags: tuple[tuple[int, str], ...]
    counters: frozenset[int]
    narrowest: int

    def has(self, field: str) -> bool:
        """Whether the file has this column."""
        return self.at[field] >= 0

    def heading(self, field: str) -> str:
        """The file's own word for a field."""
        return self.headings[self.at[field]]

    @property
    def score(self) -> int:
        """How many columns are understood: the header of a table has the most."""
        return sum(place >= 0 for place in self.at.values()) + len(self.aid_flags)


def columns_of(
    cells: Sequence[object], own_headings: Mapping[str, Sequence[str]] | None = None
) -> Columns:
    """Read a row as a header. `own_headings`: an office's own words for a field, tried first."""
    headings = tuple(tidy(cell) for cell in cells)
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        places.setdefault(canonical(heading), place)
    own = own_headings or {}
    at = {
        field: _place(places, [*map(canonical, own.get(field, ())), *known])
        for field, known in HEADINGS.items()
    }
    return Columns(
        headings=headings,
        at=at,
        aid_flags=_aid_flags(places),
        counters=frozenset(place for heading, place in places.items() if heading in _COUNTERS),
        narrowest=max((place + 1 for place, text in enumerate(headings) if text), default=0),
    )


def _place(places: Mapping[str, int], words: Sequence[str]) -> int:
    return next((places[word] for word in words if word in places), -1)


def _aid_flags(places: Mapping[str, int]) -> tuple[tuple[int, str], ...]:
    found = [
        (place, PROGRAMMES[heading.removeprefix("bansos")])
        for heading, place in places.items()
        if heading.removeprefix("bansos") in PROGRAMMES
    ]
    return tuple(sorted(found))


def canonical(text: str) -> str:
    """A heading without case, spaces, dots, underscores, slashes."""
    return re.sub(r"[\W_]+", "", text.lower())


def tidied(cells: Sequence[object]) -> Sequence[str]:
    """A row through `tidy`. Most rows need nothing done, and a look at them whole is cheaper."""
    try:
        whole = f"|{'|'.join(cells)}|"  # type: ignore[arg-type]
    except TypeError:
        return [tidy(cell) for cell in cells]
    clean = whole.isascii() and whole.isprintable() and _EMPTY.isdisjoint(cells)
    if any(map(whole.__contains__, _UNTIDY)):
        clean = False
    if clean and max(map(len, cells), default=0) <= TEXT_MAX:  # type: ignore[arg-type]
        return cells  # type: ignore[return-value]
    return [tidy(cell) for cell in cells]


def tidy(cell: object) -> str:
    """A cell as text: one line, no leading apostrophe, no ="…", at most TEXT_MAX characters."""
    if not isinstance(cell, str):
        return "" if cell is None else _plain(cell)
    text = " ".join(cell.split())
    if text[:1] in ("'", "’", "="):  # noqa: RUF001 - a typographic apostrophe
        text = text[2:-1] if text.startswith('="') else text.lstrip("'’=").lstrip()  # noqa: RUF001
    if not text.isprintable():
        text = "".join(filter(str.isprintable, text))
    return "" if text in _EMPTY else text[:TEXT_MAX]


def _plain(cell: object) -> str:
    if isinstance(cell, bool):
        return "YA" if cell else "TIDAK"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)[:TEXT_MAX]
