"""Which version of the office's file an application runs on: the one it was started with.

What the file said is kept beside the applications, so that a changed file changes only what
starts after it. Who signs, the calendar and who may see what are always today's.
"""

from functools import lru_cache

from pydantic import ValidationError

from kiosk.errors import Unusable
from kiosk.loket import Loket
from kiosk.profile import DocumentKind, Profile
from kiosk.service import LetterService, Service, Step
from models import Application, Bundle, OfficeVersion, transaction


def remember(loket: Loket, now: int) -> str:
    """Keep what the running file says; its version. In the transaction of what is started."""
    version = loket.profile.version
    if not OfficeVersion.select().where(OfficeVersion.version == version).exists():
        OfficeVersion.create(
            version=version, text=loket.profile.model_dump_json(by_alias=True), used_at=now
        )
    return version


def adopt(loket: Loket, now: int) -> None:
    """What began before versions were kept stays from now on with the file of today.

    What is closed too: it is still read, and its letter verified, by its service and steps.
    """
    unknown = Application.version == ""
    with transaction():
        if Application.select().where(unknown).exists():
            Application.update(version=remember(loket, now)).where(unknown).execute()


def profile_of(loket: Loket, application: Application | Bundle) -> Profile:
    """The file that this application or sheet runs on. Raises Unusable if it cannot be read."""
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


def last_document(loket: Loket, kind: str) -> DocumentKind | None:
    """A kind of scan as the newest kept version of the file that had it says it, or None."""
    for row in OfficeVersion.select().order_by(OfficeVersion.id.desc()):
        try:
            found = _kept(str(loket.home), row.version).document(kind)
        except Unusable:
            continue
        if found:
            return found
    return None


def wording_of(loket: Loket, application: Application) -> Profile:
    """Today's office with the register as this application's version names it: what letters say."""
    register = profile_of(loket, application).register_
    return loket.profile.model_copy(update={"register_": register})


def service_of(loket: Loket, application: Application) -> Service:
    """The application's service, as its version of the file has it."""
    return profile_of(loket, application).service(application.service)


def letter_service_of(loket: Loket, application: Application) -> LetterService:
    """The same for an application whose service gives a letter."""
    return profile_of(loket, application).letter_service(application.service)


def step_of(loket: Loket, application: Application) -> Step:
    """The step the application stands in."""
    return service_of(loket, application).step(application.step)
