"""People who work here, their sessions, and the enrolled devices."""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from kiosk import limits
from kiosk.errors import Invalid, NotAllowed, NotFound
from kiosk.identity import check_nik, mask_nik
from kiosk.loket import Loket
from kiosk.profile import Profile
from models import Audit, Busy, Device, Session, User, transaction

IDLE_S = 2 * 3600
ABSOLUTE_S = 12 * 3600
SEEN_EVERY_S = 60
ENROL_S = 24 * 3600
WRONG_PER_NAME = 10
WRONG_PER_ADDRESS = 30
WINDOW_S = 5 * 60
MIN_PASSWORD = 10

_hasher = PasswordHasher()


@dataclass(frozen=True)
class Actor:
    """Who acts: a signed-in member of staff, at a window where they sit at one.

    `village` is "Kecamatan/Desa" for whoever works for one desa, else "".
    """

    id: int
    name: str
    full_name: str
    role: str
    window: int | None = None
    village: str = ""


@dataclass(frozen=True)
class EnrolledDevice:
    id: int
    name: str
    kind: str


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def add_user(
    profile: Profile,
    name: str,
    full_name: str,
    role: str,
    password: str,
    now: int,
    by: Actor | None = None,
    village: str = "",
) -> int:
    """A new member of staff; its id. Raises Invalid by field.

    `village` is "Kecamatan/Desa", for a role that works for one desa; others have none.
    """
    faults = {}
    if not name.strip() or not name.replace(".", "").replace("_", "").isalnum():
        faults["name"] = "Nama masuk hanya huruf, angka, titik, dan garis bawah."
    if profile.role(role) is None:
        known = ", ".join(r.id for r in profile.roles)
        faults["role"] = f"Peran tidak dikenal. Pilih salah satu: {known}."
    faults |= _village_faults(profile, role, village) | _password_faults(password)
    if faults:
        raise Invalid(faults)
    hashed = _hasher.hash(password)
    with transaction():
        if User.select().where(User.name == name.lower()).exists():
            raise Invalid({"name": "Nama masuk ini sudah dipakai."})
        user = User.create(
            name=name.lower(),
            full_name=full_name.strip() or name,
            role=role,
            village=_village_of(profile, role, village),
            password=hashed,
            created_at=now,
        )
        Audit.create(at=now, actor=by and by.id, what="tambah petugas", subject=user.name)
    return int(user.id)


def _village_of(profile: Profile, role: str, village: str) -> str:
    found = profile.role(role)
    return village if found and found.scope == "village" else ""


def _village_faults(profile: Profile, role: str, village: str) -> dict[str, str]:
    found = profile.role(role)
    if found is None or found.scope != "village" or village in profile.villages:
        return {}
    return {"village": "Pilih desa atau kelurahan tempat petugas ini bekerja."}


def _password_faults(password: str) -> dict[str, str]:
    if len(password) < MIN_PASSWORD:
        return {"password": f"Kata sandi paling sedikit {MIN_PASSWORD} huruf atau angka."}
    return {}


def sign_in(name: str, password: str, address: str, now: int) -> str:
    """A new session's token. Raises NotAllowed, or TooMany for this name from this address.

    The bucket is name *and* address: wrong tries elsewhere never lock the owner out.
    """
    bucket = f"masuk|{name.lower()}|{address}"
    limits.spend(f"masuk|{address}", WRONG_PER_ADDRESS, WINDOW_S, now)
    limits.spend(bucket, WRONG_PER_NAME, WINDOW_S, now)
    user = User.get_or_none((User.name == name.lower()) & User.active)
    if not _matches(user.password if user else _nobody(), password) or user is None:
        raise NotAllowed("Nama atau kata sandi tidak cocok. Periksa, lalu coba lagi.")
    limits.forget(bucket)
    limits.forget(f"masuk|{address}")
    token = secrets.token_urlsafe(32)
    with transaction():
        Session.delete().where(Session.created_at < now - ABSOLUTE_S).execute()
        Session.create(token_hash=_hash(token), user=user, created_at=now, seen_at=now)
        Audit.create(at=now, actor=user, what="masuk")
    return token


@cache
def _nobody() -> str:
    """Checked when the name is unknown, so that the time does not tell which names exist."""
    return _hasher.hash(secrets.token_hex(16))


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except VerifyMismatchError:
        return False


def actor_of(token: str, now: int) -> Actor | None:
    """Whose session this token is, unless it was ended, left idle or is too old."""
    row = (
        Session.select(Session, User)
        .join(User)
        .where(
            (Session.token_hash == _hash(token))
            & User.active
            & (Session.created_at > now - ABSOLUTE_S)
            & (Session.seen_at > now - IDLE_S)
        )
        .get_or_none()
    )
    if row is None:
        return None
    user = row.user
    return Actor(user.id, user.name, user.full_name, user.role, row.window, user.village)


def keep_alive(token: str, now: int) -> None:
    """An act of the person, not a poll, keeps the session: at most one write a minute.

    A disk that is full signs nobody out of reading.
    """
    old = (Session.token_hash == _hash(token)) & (Session.seen_at < now - SEEN_EVERY_S)
    if not Session.select().where(old).exists():
        return
    with suppress(Busy), transaction():
        Session.update(seen_at=now).where(old).execute()


def sign_out(token: str) -> None:
    """End the session: a copy of its cookie is worth nothing from now on."""
    with transaction():
        Session.delete().where(Session.token_hash == _hash(token)).execute()


def sit_at(token: str, window: int) -> None:
    """Choose the window this session calls people to. Raises Invalid."""
    if not 1 <= window <= 99:
        raise Invalid({"window": "Pilih nomor loket 1 sampai 99."})
    with transaction():
        Session.update(window=window).where(Session.token_hash == _hash(token)).execute()


def confirm_password(actor: Actor, password: str, now: int) -> None:
    """The person in front of the screen is who signed in. Raises Invalid or TooMany."""
    bucket = f"sandi|{actor.id}"
    limits.spend(bucket, WRONG_PER_NAME, WINDOW_S, now)
    user = User.get_by_id(actor.id)
    if not _matches(user.password, password):
        raise Invalid({"password": "Kata sandi tidak cocok. Surat belum ditandatangani."})
    limits.forget(bucket)


def change_user(
    profile: Profile,
    user_id: int,
    by: Actor,
    now: int,
    *,
    active: bool,
    role: str,
    village: str = "",
) -> None:
    """Enable, disable or move a person to another role or village; their sessions end."""
    user = User.get_or_none(User.id == user_id)
    if user is None:
        raise NotFound("Petugas ini tidak ada.")
    if user.id == by.id:
        raise NotAllowed("Anda tidak dapat mengubah akun Anda sendiri.")
    if profile.role(role) is None:
        raise Invalid({"role": "Pilih salah satu peran."})
    if faults := _village_faults(profile, role, village):
        raise Invalid(faults)
    village = _village_of(profile, role, village)
    with transaction():
        User.update(active=active, role=role, village=village).where(User.id == user_id).execute()
        Session.delete().where(Session.user == user_id).execute()
        Audit.create(at=now, actor=by.id, what="ubah petugas", subject=user.name)


def set_password(user_id: int, password: str, now: int, by: Actor | None = None) -> None:
    """A new password; all of the person's sessions end. Raises Invalid, NotFound."""
    faults = _password_faults(password)
    if faults:
        raise Invalid(faults)
    user = User.get_or_none(User.id == user_id)
    if user is None:
        raise NotFound("Petugas ini tidak ada.")
    hashed = _hasher.hash(password)
    with transaction():
        User.update(password=hashed).where(User.id == user_id).execute()
        Session.delete().where(Session.user == user_id).execute()
        Audit.create(at=now, actor=by and by.id, what="ganti kata sandi", subject=user.name)


def set_nik(loket: Loket, user_id: int, nik: str, by: Actor, now: int) -> None:
    """Note the person's NIK, or with "" forget it. Raises Invalid, NotFound.

    Who signs through BSrE is known there by it; and nobody works on an application of this NIK.
    """
    plain = ""
    if nik.strip():
        try:
            plain = check_nik(nik)
        except ValueError as fault:
            raise Invalid({"nik": str(fault)}) from None
    kept = {
        "nik_ix": loket.vault.index("nik", plain) if plain else None,
        "nik_ct": loket.vault.lock("nik_petugas", plain.encode()) if plain else None,
    }
    with transaction():
        user = User.get_or_none(User.id == user_id)
        if user is None:
            raise NotFound("Petugas ini tidak ada.")
        User.update(kept).where(User.id == user_id).execute()
        what = "catat nik petugas" if plain else "hapus nik petugas"
        Audit.create(at=now, actor=by.id, what=what, subject=user.name)


def nik_of(loket: Loket, user_id: int) -> str:
    """The person's NIK as it may be shown: masked; "" when none is noted."""
    user = User.get_or_none(User.id == user_id)
    locked = user.nik_ct if user else None
    return mask_nik(loket.vault.unlock("nik_petugas", locked).decode()) if locked else ""


def people(role: str = "") -> list[User]:
    """Staff in the order of their names; of one role, those active."""
    query = User.select().order_by(User.full_name)
    if role:
        query = query.where((User.role == role) & User.active)
    return list(query)


def add_device(name: str, kind: str, now: int, by: Actor | None = None) -> str:
    """A new device's one-time enrolment code, good for a day. Raises Invalid."""
    if kind not in ("kiosk", "display"):
        raise Invalid({"kind": "Jenis perangkat: kiosk atau display."})
    if not name.strip():
        raise Invalid({"name": "Beri nama perangkat, misalnya Kios 1."})
    code = secrets.token_urlsafe(24)
    with transaction():
        if Device.select().where((Device.name == name) & Device.revoked_at.is_null()).exists():
            raise Invalid({"name": "Nama perangkat ini sudah dipakai."})
        Device.update(name=Device.name.concat(f" (dicabut {now})")).where(
            (Device.name == name) & Device.revoked_at.is_null(False)
        ).execute()
        Device.create(name=name, kind=kind, enrol_hash=_hash(code), enrol_until=now + ENROL_S)
        Audit.create(at=now, actor=by and by.id, what="tambah perangkat", subject=name)
    return code


def enrollable(code: str, now: int) -> EnrolledDevice | None:
    """The device that this code would enrol; None when it was used or is too old."""
    device = Device.get_or_none(
        (Device.enrol_hash == _hash(code))
        & (Device.enrol_until > now)
        & Device.revoked_at.is_null()
    )
    return EnrolledDevice(device.id, device.name, device.kind) if device else None


def enrol(code: str, now: int) -> tuple[EnrolledDevice, str]:
    """Turn a one-time code into a device and its token. Raises NotFound when used or too old."""
    token = secrets.token_urlsafe(32)
    with transaction():
        device = enrollable(code, now)
        if device is None:
            raise NotFound("Kode pendaftaran sudah dipakai atau kedaluwarsa. Minta yang baru.")
        Device.update(token_hash=_hash(token), enrol_hash=None, enrolled_at=now).where(
            Device.id == device.id
        ).execute()
    return device, token


def device_of(token: str, now: int) -> EnrolledDevice | None:
    """The device of this token, unless revoked; notes at most once a minute that it lives."""
    device = Device.get_or_none((Device.token_hash == _hash(token)) & Device.revoked_at.is_null())
    if device is None:
        return None
    if (device.seen_at or 0) < now - SEEN_EVERY_S:
        with suppress(Busy), transaction():
            Device.update(seen_at=now).where(Device.id == device.id).execute()
    return EnrolledDevice(device.id, device.name, device.kind)


def devices() -> list[Device]:
    """All devices that are not revoked."""
    return list(Device.select().where(Device.revoked_at.is_null()).order_by(Device.name))


def revoke_device(device_id: int, by: Actor, now: int) -> None:
    """From now on this device is nobody's. Raises NotFound."""
    with transaction():
        done = (
            Device.update(revoked_at=now, token_hash=None, enrol_hash=None)
            .where((Device.id == device_id) & Device.revoked_at.is_null())
            .execute()
        )
        if not done:
            raise NotFound("Perangkat ini tidak ada.")
        Audit.create(at=now, actor=by.id, what="cabut perangkat", subject=str(device_id))
