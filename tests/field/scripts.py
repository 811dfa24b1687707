"""The replies that the cases of the field describe in words, as scripts."""

from __future__ import annotations

from tests.field.field_server import Scripted, failure, page, says

GOOD = says("A good ", "answer.")
SCRIPTS: dict[str, dict[str, object]] = {
    "proxy-504": {"chat": [GOOD, page(504, "Gateway Time-out")]},
    "proxy-502": {"chat": [GOOD, page(502, "Bad Gateway")]},
    "basic-auth-page": {"every": page(401, "Authorization Required", WWW_Authenticate='Basic realm="x"')},
    "lone-close": {"chat": [says("Okay, the user wants", "…\n</think>\n", "\nThe **answer**")]},
    "open-close": {"chat": [says("<think>\nx\n</think>\n\nThe **answer**")]},
    "thought-only": {"chat": [says(thinking="Hmm, the user wants…")]},
    "oom-in-stream": {
        "chat": [Scripted([{"error": "model requires more system memory (9.0 GiB) than is available (2.0 GiB)"}])]
    },
    "load-timeout": {"chat": [failure("timed out waiting for llama runner to start - progress 0.00 - ")]},
    "memory-500": {
        "chat": [failure("model requires more system memory (12.4 GiB) than is available (7.6 GiB)")],
    },
    "terminal-cp1252": {"chat": [says("café — ✓ 😀")]},
    "error-200": {"every": Scripted('{"error": "This server has no GET /api/tags"}')},
    "pool-interrupt": {"chat": [Scripted(silent=True)]},
    "background-nbconvert": {"chat": [says(*(f"word{n} " for n in range(60)), pause=0.05)]},
}
