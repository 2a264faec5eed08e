"""A running counter: the office's profile with its keys, register and folders, in one place."""

from dataclasses import dataclass
from pathlib import Path

from kiosk import secret
from kiosk.bsre import Client
from kiosk.clock import Calendar
from kiosk.errors import Unusable
from kiosk.office_file import load
from kiosk.office_key import KEY_FILE, OfficeKey, OfficeKeys
from kiosk.profile import Profile
from kiosk.register import Register
from kiosk.seal_keys import SealKeys
from kiosk.vault import Vault

COOKIE_FILE = "cookie.key"
FOLDERS = ("keys", "register", "archive", "prints", "rejects", "documents")


@dataclass(frozen=True)
class Loket:
    """What every verb of the office is handed. `base_url` is what the QRs say, without a slash.

    `bsre` is the way to BSrE, None where the office has none.
    """

    profile: Profile
    calendar: Calendar
    vault: Vault
    register: Register
    seal_keys: SealKeys
    office_keys: OfficeKeys
    home: Path
    base_url: str
    bsre: Client | None = None

    @property
    def office_key(self) -> OfficeKey:
        """The key that signs the office's letters now."""
        return self.office_keys.current()

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    def verify_url(self, digits: str) -> str:
        return f"{self.base_url}/v/{digits}"

    def status_url(self, token: str) -> str:
        return f"{self.base_url}/t/{token}"


def prepare(home: Path, office: str, now: int) -> bool:
    """Make the data folder and the office's keys where they are missing; True when new.

    Keys that exist are never written again: without them old letters cannot be verified. Raises
    Unusable where there is data and its key is gone.
    """
    profile = load(office)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in FOLDERS:
        (home / folder).mkdir(mode=0o700, exist_ok=True)
    keys = home / "keys"
    if (keys / "vault.json").exists():
        return False
    _require_no_data(home)
    # The vault comes last: without it, an earlier try was cut off and is finished now.
    if not (keys / KEY_FILE).exists():
        OfficeKey.create(keys, profile.office.name, now)
    if not (keys / "seal.json").exists():
        SealKeys.create(keys / "seal.json", now)
    secret.key(keys / COOKIE_FILE)
    Vault.create(keys / "vault.json")
    return True


def _require_no_data(home: Path) -> None:
    if any(home.glob("*.sqlite")):
        raise Unusable("Kunci data hilang, datanya masih ada. Pulihkan folder keys dari cadangan.")


def open_loket(home: Path, office: str, base_url: str, bsre: Client | None = None) -> Loket:
    """The counter of this folder. Raises Unusable when it was never made or its keys are gone."""
    profile = load(office)
    keys = home / "keys"
    if not (keys / "vault.json").exists():
        _require_no_data(home)
        raise Unusable("Folder data belum dibuat. Jalankan: loket15 init")
    vault = Vault.open(keys / "vault.json")
    return Loket(
        profile=profile,
        calendar=profile.calendar(),
        vault=vault,
        register=Register(home / "register", vault),
        seal_keys=SealKeys.open(keys / "seal.json"),
        office_keys=OfficeKeys.open(keys),
        home=home,
        base_url=base_url.rstrip("/"),
        bsre=bsre,
    )
