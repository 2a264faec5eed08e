"""Which version of the office's file an application runs on: the one it was started with.

What the file said is kept beside the applications, so that a changed file changes only what
starts after it. Who signs, the calendar and who may see what are always today's.
"""

from functools import lru_cache

from pydantic import ValidationError

from kiosk.errors import Unusable
from kiosk.loket import Loket
from kiosk.profile import Profile
from kiosk.service import LetterService, Service, Step
from models import Application, OfficeVersion


def remember(loket: Loket, now: int) -> str:
    """Keep what the running file says; its version. In the transaction of what is started."""
    version = loket.profile.version
    if not OfficeVersion.select().where(OfficeVersion.version == version).exists():
        OfficeVersion.create(
            version=version, text=loket.profile.model_dump_json(by_alias=True), used_at=now
        )
    return version


def profile_of(loket: Loket, application: Application) -> Profile:
    """The file that this application runs on. Raises Unusable when it can no longer be read."""
    if application.version in ("", loket.profile.version):
        return loket.profile
    return _kept(str(loket.home), application.version)


@lru_cache(maxsize=32)
def _kept(_home: str, version: str) -> Profile:
    row = OfficeVersion.get_or_none(OfficeVersion.version == version)
    if row is None:
        raise Unusable(f"Berkas kantor versi {version} tidak ada lagi. Pulihkan dari cadangan.")
    try:
        return Profile.model_validate_json(row.text)
    except ValidationError as error:
        raise Unusable(f"Berkas kantor versi {version} tidak terbaca oleh versi ini.") from error


def service_of(loket: Loket, application: Application) -> Service:
    """The application's service, as its version of the file has it."""
    return profile_of(loket, application).service(application.service)


def letter_service_of(loket: Loket, application: Application) -> LetterService:
    """The same for an application whose service gives a letter."""
    return profile_of(loket, application).letter_service(application.service)


def step_of(loket: Loket, application: Application) -> Step:
    """The step the application stands in."""
    return service_of(loket, application).step(application.step)
