"""The demonstration of each office has somebody for every role."""

from dataclasses import replace

import pytest

from kiosk import demo
from kiosk.loket import Loket
from kiosk.office_file import OFFICES, load
from models import User
from tests.people import MONDAY_NINE


@pytest.mark.parametrize("office", sorted(file.stem for file in OFFICES.glob("*.toml")))
def test_a_demonstration_has_somebody_for_every_role(loket: Loket, office: str) -> None:
    User.delete().execute()
    profile = load(office)
    demo.add_staff(replace(loket, profile=profile), MONDAY_NINE)
    hired = list(User.select())
    assert {user.role for user in hired} == {role.id for role in profile.roles}
    for role in profile.roles:
        theirs = [user.village for user in hired if user.role == role.id]
        assert all(bool(village) is (role.scope == "village") for village in theirs)
