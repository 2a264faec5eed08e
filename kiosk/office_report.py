"""The check of an office's file as its writer reads it, in plain English. Pure."""

from collections.abc import Iterator
from datetime import date
from textwrap import shorten

from kiosk.office_cautions import cautions
from kiosk.office_file import Placed, Report
from kiosk.office_keys import DOCUMENT
from kiosk.profile import Profile
from kiosk.service import LetterService, ProposalService, Service


def lines(report: Report, today: date) -> Iterator[str]:
    """All that there is to say about the file: its faults, or what it holds and what to mind."""
    name = report.file.name
    if report.profile is None:
        yield from _faults(report)
        count = len(report.faults)
        yield f"{name}: {count} fault{'s' * (count != 1)}. What each key means: {DOCUMENT}"
        return
    yield from _overview(report.profile)
    found = list(cautions(report.profile, today))
    yield from (f"Mind: {caution.where}: {caution.said}" for caution in found)
    minded = f", {len(found)} to mind" if found else ""
    yield f"{name}: no faults{minded}. Version {report.profile.version}."


def _faults(report: Report) -> Iterator[str]:
    for placed in sorted(report.faults, key=lambda one: one.line or 0):
        yield from _fault(placed)
        yield ""


def _fault(placed: Placed) -> Iterator[str]:
    fault = placed.fault
    line = f"line {placed.line}: " if placed.line else ""
    inside = f"  ({placed.inside})" if placed.inside else ""
    yield f"{line}{fault.where}{inside}"
    yield f"    there:    {fault.there}"
    yield f"    expected: {fault.expected}"
    if fault.hint:
        yield f"    Did you mean {fault.hint}?"


def _overview(profile: Profile) -> Iterator[str]:
    register = profile.register_
    ranked = f", ranked by {register.rank_label}" if register.rank_label else ""
    yield f"{profile.office.name}, {profile.office.timezone}; register {register.name}{ranked}"
    for service in profile.services:
        yield from _service(service)
    names = (
        ("roles", [role.id for role in profile.roles]),
        ("signers", [f"{signer.role} ({signer.name})" for signer in profile.signers]),
        ("documents", [f"{one.id} {one.keep_days} days" for one in profile.documents]),
    )
    yield from (f"  {what}: {', '.join(found) or 'none'}" for what, found in names)
    if profile.districts:
        villages = sum(len(district.villages) for district in profile.districts)
        yield f"  {len(profile.districts)} kecamatan with {villages} desa and kelurahan"
    yield ""


def _service(service: Service) -> Iterator[str]:
    steps = [step for step in service.steps if not step.ends]
    ends = len(service.steps) - len(steps)
    time = service.time
    least = f"{time.least} to " if time.least else ""
    unit = time.unit.replace("_", " ") + "s" * (time.amount != 1)
    yield f"  service {service.id}: {service.title.id}"
    if isinstance(service, LetterService):
        yield f"    a letter, queue {service.series}, number {service.letter.number}"
    elif isinstance(service, ProposalService):
        routes = ", ".join(route.id for route in service.routes)
        sheets = ", ".join(bundle.id for bundle in service.bundles)
        yield f"    proposals, routes: {routes}; sheets: {sheets or 'none'}"
    published = shorten(service.published.time, 60, placeholder=" …")
    yield f"    promised: {least}{time.amount} {unit}; published: {published}"
    yield f"    {len(steps)} steps and {ends} ends: {', '.join(step.id for step in steps)}"
    yield f"    purposes: {', '.join(purpose.id for purpose in service.purposes)}"
