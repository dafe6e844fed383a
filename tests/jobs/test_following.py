"""Watching a job, over connections that break."""

import pytest

from vaesearch.errors import InputError, VaesearchError
from vaesearch.jobs import following
from vaesearch.jobs.asking import NoAnswerError
from vaesearch.jobs.following import Follower, lost_job, stop
from vaesearch.jobs.heads import Head
from vaesearch.jobs.listing import get_job


class Clock:
    """Time passes when somebody sleeps, and things happen then."""

    def __init__(self):
        self.now, self.after = 0.0, {}

    def sleep(self, seconds):
        self.now += seconds
        for when in sorted(self.after):
            if when <= self.now:
                self.after.pop(when)()

    def __call__(self):
        return self.now


class Wire:
    """Brings the given pieces; an exception breaks it, a function is called, "" is silence."""

    def __init__(self, *pieces):
        self.pieces, self.closed = list(pieces), False

    def read(self, seconds):
        if not self.pieces:
            return None
        piece = self.pieces.pop(0)
        if callable(piece):
            piece()
            return ""
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self):
        self.closed = True


class Scene:
    """A job on a fake head, followed; ``wires`` are the connections, one after another."""

    def __init__(self, fake):
        self.fake, self.head = fake, Head(fake.url, fake.ray_version)
        self.clock, self.shown, self.notes, self.wires = Clock(), "", [], []
        fake.add("job")

    def end(self, status="SUCCEEDED", code=0):
        self.fake.jobs["job"].update(status=status, driver_exit_code=code)

    def follow(self, *wires):
        waiting = list(wires)

        def connect(head, name):
            wire = waiting.pop(0)
            if isinstance(wire, Exception):
                raise wire
            self.wires.append(wire)
            return wire

        def write(text):
            self.shown += text

        return Follower(
            self.head, "job", write=write, note=self.notes.append, connect=connect,
            sleep=self.clock.sleep, clock=self.clock,
        ).follow()  # fmt: skip


@pytest.fixture
def scene(head):
    return Scene(head)


LOST = NoAnswerError("the connection is lost: reset")


def test_to_the_end(scene):
    job = scene.follow(Wire("a\n", "", lambda: scene.end("FAILED", 2), "b\n"))
    assert scene.shown == "a\nb\n"
    assert (job.status, job.exit_status) == ("FAILED", 2)
    assert scene.wires[0].closed
    assert scene.notes == []


def test_nothing_is_shown_twice_after_a_break(scene):
    wires = (
        Wire("one\ntw", LOST),
        LOST,
        Wire("one\n", "two\n", LOST),
        Wire("one\ntwo\nthr", "ee\n", scene.end),
    )
    scene.follow(*wires)
    assert scene.shown == "one\ntwo\nthree\n"
    assert all(wire.closed for wire in scene.wires)
    lines = [note.splitlines()[0] for note in scene.notes]
    assert lines == [str(LOST), "The head answers again."] * 3


def test_a_proxy_that_lets_no_connection_stay(scene):
    scene.fake.logs["job"] = "one\n"

    def more():
        scene.fake.logs["job"] += "two\n"
        scene.end()

    scene.clock.after[8.0] = more
    assert scene.follow(LOST, LOST, LOST).status == "SUCCEEDED"
    assert scene.shown == "one\ntwo\n"


def test_a_head_that_stays_away(scene):
    for path in ("/api/jobs/job", "/api/jobs/"):
        scene.fake.answers[path] = (503, "")
    with pytest.raises(NoAnswerError, match="has not answered for"):
        scene.follow()
    assert scene.clock.now > following.LOST_SECONDS
    assert len(scene.notes) == 1


def test_silence_of_a_dead_head_is_noticed(scene):
    scene.clock.after[1.0] = lambda: scene.fake.answers.clear()

    def die():
        scene.fake.answers["/api/jobs/job"] = (502, "")

    scene.follow(Wire("a", die), Wire("a", "b", scene.end))
    assert scene.shown == "ab"


def test_a_head_started_anew_does_not_know_the_job(scene):
    scene.clock.after[1.0] = scene.fake.jobs.clear
    with pytest.raises(InputError, match="knows no job job") as caught:
        scene.follow(Wire("a", LOST))
    text = str(lost_job("job", "s3://b/x", caught.value))
    assert "vaesearch submit -- resume s3://b/x" in text


def test_waiting_for_a_place(scene):
    scene.fake.jobs["job"].update(status="PENDING", message="waiting for resources")
    scene.clock.after[30.0] = lambda: scene.fake.jobs["job"].update(status="RUNNING")
    scene.follow(Wire("a", scene.end))
    assert scene.notes == ["Not started yet: waiting for resources"]


def test_a_job_that_ended_before_its_output_was_read(scene):
    scene.end("STOPPED")
    assert scene.follow(Wire("all\n")).exit_status == 130
    assert scene.shown == "all\n"


def test_output_that_went_with_its_node(scene):
    scene.end("FAILED", None)
    assert scene.follow(LOST).exit_status == 1
    assert "cannot be had" in scene.notes[0]


def test_stopping_waits_for_the_end(scene):
    scene.fake.on_stop = lambda job: scene.clock.after.update({5.0: lambda: scene.end("STOPPED")})
    job = get_job(scene.head, "job")
    assert stop(scene.head, job, sleep=scene.clock.sleep, clock=scene.clock).status == "STOPPED"
    assert scene.clock.now >= 5.0


def test_a_job_that_will_not_end(scene):
    scene.fake.on_stop = lambda job: None
    job = get_job(scene.head, "job")
    with pytest.raises(VaesearchError, match="has not ended within"):
        stop(scene.head, job, sleep=scene.clock.sleep, clock=scene.clock)


def test_a_job_that_has_not_begun_cannot_be_stopped(scene):
    scene.fake.on_stop = lambda job: job.update(status="PENDING")
    job = get_job(scene.head, "job")
    with pytest.raises(VaesearchError, match="still waits for room"):
        stop(scene.head, job, sleep=scene.clock.sleep, clock=scene.clock)
    assert scene.clock.now < following.LOST_SECONDS / 3
