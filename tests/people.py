"""Who works in the tests' office, and when the tests begin."""

MONDAY_NINE = 1795399200  # 2026-11-23 09:00 WIB
PASSWORD = "sandi-contoh-15"
STAFF = {
    "loket": ("front_office", "Lilis Loket"),
    "sekre": ("sekretariat", "Sari Sekretaris"),
    "kadis": ("kepala_dinas", "Karta Kadis"),
    "kabid": ("kabid_linjamsos", "Kabul Kabid"),
    "operator": ("operator", "Opik Operator"),
    "admin": ("admin", "Ani Admin"),
}
