"""The process of the engine: loads one model, serves it on loopback to whoever has the key, and ends with its parent.

The parent writes one line of JSON (`LoadSettings`) and keeps the pipe open; the answer is one line of JSON, `address`
or `error`. When the pipe closes, the process ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from importlib import import_module
from typing import Any

_LOOK = 0.5  # seconds between two looks whether the parent is still there


def main() -> None:
    """Load what the first line of the input asks for, and serve it until the input ends."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # llama.cpp prints
    settings = json.loads(sys.stdin.readline())
    _end_with_parent()
    try:
        server = _load(settings)
    except Exception as error:  # noqa: BLE001 — whatever it is, the parent reports it
        answer.write(json.dumps({"error": str(error)}) + "\n")
    else:
        answer.write(json.dumps({"address": server.listening_address}) + "\n")
    answer.close()
    threading.Event().wait()


def _load(settings: dict[str, Any]) -> Any:
    xllamacpp: Any = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [settings["key"]]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.n_ctx, params.n_batch, params.n_ubatch = settings["context"], settings["batch"], settings["batch"]
    params.n_parallel, params.ctx_shift, params.fit_params, params.ui = 1, True, False, False
    params.embedding, params.pooling_type = True, xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.warmup, params.cache_ram_mib, params.verbosity = False, 0, 0
    return xllamacpp.Server(params)


def _end_with_parent() -> None:
    """End this process when the pipe closes, or when the parent has died and a child of it holds the pipe."""
    # Loading holds the interpreter's lock, so that no thread runs meanwhile. The kernel can end the process then.
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_wait_for_end, daemon=True).start()
    threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()


def _wait_for_end() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(0)


if __name__ == "__main__":
    main()
