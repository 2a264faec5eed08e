"""Tries that are counted: so many in a bucket within so many seconds."""

from hashlib import sha256

from kiosk.errors import TooMany
from models import Attempt, transaction

KEEP_S = 24 * 3600


def spend(bucket: str, most: int, seconds: int, now: int) -> int:
    """Count one try in `bucket`; the number so far. Raises TooMany past `most` in `seconds`.

    A refused try is not counted, so that hammering does not prolong the wait. The bucket's name is
    kept as a hash: it may hold an address.
    """
    name = sha256(bucket.encode()).hexdigest()
    with transaction():
        Attempt.delete().where(Attempt.at < now - KEEP_S).execute()
        used = (
            Attempt.select().where((Attempt.bucket == name) & (Attempt.at > now - seconds)).count()
        )
        if used >= most:
            raise TooMany("Terlalu banyak percobaan. Tunggu beberapa menit, lalu coba lagi.")
        Attempt.create(bucket=name, at=now)
    return int(used) + 1


def forget(bucket: str) -> None:
    """Start the bucket anew, as after a right password."""
    with transaction():
        Attempt.delete().where(Attempt.bucket == sha256(bucket.encode()).hexdigest()).execute()
