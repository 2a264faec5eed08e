"""Synthetic households of Kabupaten Lumajang, and who works on proposals there. Nobody lives."""

from collections.abc import Iterator
from typing import Any

from kiosk.household import Household

VILLAGE = "Pasirian/Bades"
OTHER_VILLAGE = "Senduro/Ranupani"
STAFF = {
    "desa": ("operator_desa", "Dewi Operator Desa", VILLAGE),
    "desa_lain": ("operator_desa", "Didik Operator Desa", OTHER_VILLAGE),
    "supervisor": ("supervisor", "Susi Supervisor", ""),
    "kadis": ("kepala_dinas", "Karta Kadis", ""),
    "bupati": ("bupati", "Bambang Bupati", ""),
    "admin": ("admin", "Ani Admin", ""),
}
_FIRST = ("SITI", "AGUS", "SRI", "BUDI", "WATI", "SLAMET", "TUTIK", "HERI", "YANTI", "JOKO")
_LAST = ("HARTONO", "LESTARI", "SANTOSO", "RAHAYU", "WIBOWO", "KUSUMA", "PRASETYO", "UTAMI")


def person(n: int, place: int = 1, **over: str) -> dict[str, str]:
    """The member at `place` of the household number `n`; place 1 is the head, 2 the wife."""
    woman = place == 2
    born = (10 + n % 18, 1 + n % 12, 1960 + 5 * place)
    serial = 1 + (n * 7 + place) % 9999
    day = born[0] + 40 * woman
    made = {
        "name": f"{_FIRST[(n + place) % 10]} {_LAST[n % 8]}",
        "nik": f"3508{1 + n // 9999 % 21:02}{day:02}{born[1]:02}{born[2] % 100:02}{serial:04}",
        "kk": f"350801{n:010}",
        "birth_place": "LUMAJANG",
        "birth_date": f"{born[2]}-{born[1]:02}-{born[0]:02}",
        "sex": "P" if woman else "L",
        "address": f"DUSUN KRAJAN {n % 40}",
        "rt": f"{1 + n % 12:03}",
        "rw": f"{1 + n % 7:03}",
        "relation": ("KEPALA KELUARGA", "ISTRI", "ANAK")[min(place, 3) - 1],
        "job": "BURUH TANI",
        "mother": "SUMIATI",
    }
    return made | over


def household(n: int = 1, members: int = 3, **over: Any) -> Household:
    """The household number `n`, complete and right."""
    people = tuple(person(n, place) for place in range(1, members + 1))
    parts = {
        "route": "desa",
        "purpose": "pkh",
        "village": VILLAGE,
        "family_size": members,
        "members": people,
        "extra": {},
    }
    return Household(**(parts | over))


def households(many: int, **over: Any) -> Iterator[Household]:
    """So many different households, of two to four people."""
    for n in range(1, many + 1):
        yield household(n, 2 + n % 3, **over)
