"""The tests' Ollama: the demo server with scripted answers and faults, queues, old versions and what was asked."""

from tests.double.answers.deltas import Call, Delta
from tests.double.faults import Fault, nobody
from tests.double.library.scripted_models import CODE, DEMO, EMBEDDING, PLAIN, PULLABLE, SMALL, VISION, DemoModel
from tests.double.scripted_server import ScriptedServer
from tests.double.wire.http import RecordedRequest

__all__ = [
    "CODE",
    "DEMO",
    "EMBEDDING",
    "PLAIN",
    "PULLABLE",
    "SMALL",
    "VISION",
    "Call",
    "Delta",
    "DemoModel",
    "Fault",
    "RecordedRequest",
    "ScriptedServer",
    "nobody",
]
