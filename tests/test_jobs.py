"""Work that may take longer than a request: told as it goes, to who began it alone."""

import threading

import pytest

from kiosk.errors import Invalid, NotFound, Stale
from kiosk.jobs import KEPT, Jobs, Progress
from kiosk.staff import Actor
from models import Audit

OPERATOR = Actor(1, "desa", "Dewi Operator", "operator_desa")
OTHER = Actor(2, "lain", "Didik Operator", "operator_desa")


@pytest.fixture
def jobs(database: None) -> Jobs:
    return Jobs()


def test_short_work_is_done_when_it_is_asked_for(jobs: Jobs) -> None:
    job = jobs.start(lambda _: Audit.select().count(), OPERATOR, {"of": "x"}, 20)
    assert (job.state, job.percent, job.about["of"]) == ("done", 100, "x")
    assert isinstance(job.result, int)
    assert jobs.find(job.key, OPERATOR) == job


def test_long_work_tells_how_far_it_is(jobs: Jobs) -> None:
    half, go_on = threading.Event(), threading.Event()

    def work(tell: Progress) -> str:
        tell(1, 2)
        half.set()
        go_on.wait(20)
        return "selesai"

    job = jobs.start(work, OPERATOR, {}, 0)
    assert half.wait(20)
    running = jobs.find(job.key, OPERATOR)
    assert (running.state, running.percent) == ("running", 50)
    go_on.set()
    ended = jobs.start(lambda _: None, OPERATOR, {}, 20)
    assert ended.state == "done"


@pytest.mark.parametrize(
    ("error", "reason", "faults"),
    [
        (Invalid({"tempat": "Isi bagian ini."}), "Isi bagian ini.", {"tempat": "Isi bagian ini."}),
        (Stale("Sudah berubah."), "Sudah berubah.", {}),
    ],
)
def test_what_is_refused_is_told_with_its_reason(
    jobs: Jobs, error: Exception, reason: str, faults: dict[str, str]
) -> None:
    def work(_: Progress) -> None:
        raise error

    job = jobs.start(work, OPERATOR, {}, 20)
    assert (job.state, job.reason, job.faults) == ("failed", reason, faults)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_ours_never_leaves_work_running_for_ever(jobs: Jobs) -> None:
    job = jobs.start(lambda _: 1 // 0, OPERATOR, {}, 20)
    assert (job.state, job.reason != "") == ("failed", True)


def test_anothers_job_is_as_unknown_as_none(jobs: Jobs) -> None:
    job = jobs.start(lambda _: None, OPERATOR, {}, 20)
    for key, who in ((job.key, OTHER), ("x", OPERATOR)):
        with pytest.raises(NotFound):
            jobs.find(key, who)


def test_old_ones_are_forgotten(jobs: Jobs) -> None:
    keys = [jobs.start(lambda _: None, OPERATOR, {}, 20).key for _ in range(KEPT + 3)]
    with pytest.raises(NotFound):
        jobs.find(keys[0], OPERATOR)
    assert jobs.find(keys[-1], OPERATOR).state == "done"
