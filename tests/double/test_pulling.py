"""Pull and push, line by line: what the real server does and a client must bear."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.demo.asking import connected, request
from tests.demo.lines import error, names, post, statuses
from tests.double import DEMO, DemoModel, Fault, ScriptedServer
from tests.double.endpoints.pull_push import NO_DISK

if TYPE_CHECKING:
    import socket

PULL = {"model": "demo-small"}


def by_layer(lines: list[dict]) -> dict[str, list[dict]]:
    layers: dict[str, list[dict]] = {}
    for line in lines:
        if "digest" in line:
            layers.setdefault(line["digest"], []).append(line)
    return layers


def test_a_pull_goes_its_way() -> None:
    """Manifest, layer after layer, digest, manifest, success; then the model is there, the newest of all."""
    with ScriptedServer(pace=0) as server:
        reply = post(server, "pull", **PULL)
        assert names(server) == ["demo-small:latest", "demo:latest"]
    said = statuses(reply)
    assert (said[0], said[-3:]) == ("pulling manifest", ["verifying sha256 digest", "writing manifest", "success"])
    assert dict(reply.headers)["Content-Type"] == "application/x-ndjson"
    layers = by_layer(reply.lines)
    assert len(layers) == 5
    for digest, lines in layers.items():
        assert {line["status"] for line in lines} == {f"pulling {digest[7:19]}"}
        assert len({line["total"] for line in lines}) == 1


def test_a_layer_begins_without_completed_and_repeats_itself() -> None:
    """`completed` is missing while it is 0, and a chunk may come twice."""
    with ScriptedServer(pace=0) as server:
        weights = next(iter(by_layer(post(server, "pull", **PULL).lines).values()))
    assert "completed" not in weights[0]
    assert weights[0] == weights[1]
    grown = [line.get("completed", 0) for line in weights]
    assert grown == sorted(grown)
    assert grown[-1] == weights[0]["total"]


def test_a_cached_layer_comes_in_one_chunk() -> None:
    """What the server has already is reported once, complete."""
    with ScriptedServer(pace=0) as server:
        layers = by_layer(post(server, "pull", **PULL).lines).values()
    cached = [lines for lines in layers if len(lines) == 1 and lines[0].get("completed") == lines[0]["total"]]
    assert len(cached) == 2


@pytest.mark.parametrize("model", ["demo-small", "demo-vision"])
def test_a_layer_may_never_report_its_end(model: str) -> None:
    """A finished download need not send `completed` = `total`."""
    with ScriptedServer(pace=0) as server:
        layers = by_layer(post(server, "pull", model=model).lines).values()
    assert [lines for lines in layers if lines[-1].get("completed") != lines[-1]["total"]]


def report(sock: socket.socket, sign: bytes) -> dict:
    """The first line with that sign in it, as soon as it is there."""
    data = b""
    while True:
        data += sock.recv(65536)
        line = next((line for line in data.split(b"\r\n") if sign in line and line.endswith(b"\n")), None)
        if line:
            return json.loads(line)


def test_a_pull_takes_its_time_and_goes_on_where_it_was_cut() -> None:
    """A client that leaves pauses the download; the next one begins with what is there."""
    with ScriptedServer(pace=0, pull_seconds=30) as server:
        with connected(server.url) as sock:
            sock.sendall(request("POST", "/api/pull", PULL))
            before = report(sock, b'"completed"')["completed"]
        (cut,) = server.wait_for_requests(1, "/api/pull")
        assert cut.wait()
        assert cut.closed_early
        assert names(server) == ["demo:latest"]
        with connected(server.url) as again:
            again.sendall(request("POST", "/api/pull", PULL))
            first = report(again, b'"digest"')
    assert before <= first["completed"] < first["total"]


def test_two_clients_share_one_download() -> None:
    """The second client sees at once what the first one has."""
    with (
        ScriptedServer(pace=0, pull_seconds=30) as server,
        connected(server.url) as one,
        connected(server.url) as other,
    ):
        one.sendall(request("POST", "/api/pull", PULL))
        before = report(one, b'"completed"')["completed"]
        other.sendall(request("POST", "/api/pull", PULL))
        assert report(other, b'"digest"')["completed"] >= before


def test_an_unknown_name_fails_after_the_first_line() -> None:
    """Status 200, the manifest line, then the error that the official client itself looks for."""
    with ScriptedServer(pace=0) as server:
        reply = post(server, "pull", model="nosuch:7b")
        whole = error(server, "pull", model="nosuch", stream=False)
    text = "pull model manifest: file does not exist"
    assert (reply.status, statuses(reply)) == (200, ["pulling manifest", f"error: {text}"])
    assert whole == (500, text)


def test_no_disk_in_mid_pull() -> None:
    """An error in mid-pull is a line, the body ends properly, and the model is not there."""
    with ScriptedServer(pace=0, faults=[Fault("error_line", after=5, error=NO_DISK, path="/api/pull")]) as server:
        reply = post(server, "pull", **PULL)
        assert (reply.status, reply.complete, len(reply.lines)) == (200, True, 6)
        assert reply.lines[-1] == {"error": NO_DISK}
        assert "no space left on device" in NO_DISK
        assert names(server) == ["demo:latest"]
        assert statuses(post(server, "pull", **PULL))[-1] == "success"


@pytest.mark.parametrize(
    ("kind", "complete"), [("no_done", True), ("half_line", True), ("drop", False), ("close", False)]
)
def test_a_pull_may_end_without_success(kind: str, complete: bool) -> None:
    """Every way in which a stream of progress can just stop."""
    with ScriptedServer(pace=0, faults=[Fault(kind, after=4, path="/api/pull")]) as server:
        reply = post(server, "pull", **PULL)
        assert names(server) == ["demo:latest"]
    assert b"success" not in reply.body
    assert reply.complete == complete


def test_garbage_and_silence_in_a_pull() -> None:
    """A line that is no JSON, or a pause, and the pull goes on."""
    faults = [Fault("garbage_line", after=2, path="/api/pull"), Fault("silence", seconds=0.01, path="/api/pull")]
    with ScriptedServer(pace=0, faults=faults) as server:
        odd = post(server, "pull", **PULL).body
        assert odd.count(b"this is no JSON\n") == 1
        assert odd.endswith(b'{"status":"success"}\n')
        assert statuses(post(server, "pull", **PULL))[-1] == "success"


def test_an_unstreamed_pull_waits() -> None:
    """One object, without a charset, when all is there."""
    with ScriptedServer(pace=0) as server:
        reply = post(server, "pull", **PULL, stream=False)
        assert names(server)[0] == "demo-small:latest"
    assert (reply.body, dict(reply.headers)["Content-Type"]) == (b'{"status":"success"}', "application/json")


def test_push_sends_each_layer() -> None:
    """A model in a namespace is pushed layer by layer; one of the library itself is refused."""
    with ScriptedServer(pace=0, models=[DEMO, DemoModel("someone/mine")]) as server:
        said = statuses(post(server, "push", model="someone/mine"))
        refused = statuses(post(server, "push", model="demo"))
        missing = error(server, "push", model="someone/nosuch", stream=False)
    assert (said[0], said[-2:]) == ("retrieving manifest", ["pushing manifest", "success"])
    assert len({line for line in said if line.startswith("pushing ") and line != "pushing manifest"}) == 2
    assert "unauthorized" in refused[-1]
    assert missing[0] == 500
    assert missing[1].endswith("no such file or directory")
