"""The log of the package: silent by default, written to stderr or a file on request, with every key masked.

    OLLAMA_MAGIC_LOG=debug                  to stderr; in a notebook that is the running cell
    OLLAMA_MAGIC_LOG=debug:/tmp/chat.log    appended to a file that only you can read
    %config OllamaMagic.log = "info"        the same values; overrides the environment

Each subpackage logs to `logging.getLogger("ollama_magic.<subpackage>")`. Every module may import this one.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import TYPE_CHECKING

from ollama_magic.errors import InputError
from ollama_magic.foreign import message_of, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import TextIOWrapper
    from typing import TextIO

    _StreamHandler = logging.StreamHandler[TextIO]
else:
    _StreamHandler = logging.StreamHandler  # generic from Python 3.11 on

VARIABLE = "OLLAMA_MAGIC_LOG"
LEVELS = {
    "off": logging.NOTSET,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
MASK = "•••"
_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s"
_LINE = 2000  # characters; longer records are cut, because an error may contain a whole page
_ROOT = logging.getLogger("ollama_magic")
# Unregistered text that looks like a key: headers, fields of JSON, user and password in an address.
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE)
_FIELD = re.compile(
    r"((?:authorization|cookie|[\w-]*(?:api[_-]?key|token|secret|password))[\"']?\s*[:=]\s*)"
    r"(\"[^\"]*\"|'[^']*'|(?!(?:bearer|basic)\b)[^\s,;}&]+)",
    re.IGNORECASE,
)
_USER = re.compile(r"(://)[^/\s@]+@")
_secrets: set[str] = set()


def register_secrets(secrets: Iterable[str]) -> None:
    """Mask these texts in every record from now on; `ollama.secrets` registers each form of each key.

    Args:
        secrets: Texts of four or more characters that must not be logged.
    """
    _secrets.update(secrets)


def masked(text: str) -> str:
    """Return the text with `•••` for registered secrets and everything that looks like a key."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    return _USER.sub(rf"\1{MASK}@", _FIELD.sub(rf"\1{MASK}", text))


class _MaskingFilter(logging.Filter):
    """Masks a record before it is formatted: one line, and the traceback as text."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception as error:  # noqa: BLE001 (a format that does not fit its arguments must not end a turn)
            message = f"{record.msg!r} cannot be formatted: {error!r}"
        record.msg, record.args = one_line(masked(message), _LINE), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_info = None  # its local variables may contain a key
        if record.exc_text:
            record.exc_text = printable(masked(record.exc_text))
        return True


class _SilentHandler(logging.NullHandler):
    """Writes nothing, but its filter masks records for other handlers, such as the root logger's."""

    def handle(self, record: logging.LogRecord) -> bool:
        return bool(self.filter(record))


class _StderrHandler(_StreamHandler):
    """Writes to the current sys.stderr: in a kernel, the output of the running cell."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Ignore a closed stream."""


class _PrivateFileHandler(logging.FileHandler):
    """Appends to a file that only its owner can read."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Ignore a full disk."""


def configure(setting: str = "") -> None:
    """Set the level and the target of the log, replacing earlier settings.

    Args:
        setting: `off`, or a level (`debug`, `info`, `warning`, `error`), alone or followed by `:` and a file's path.
            An empty text takes the environment variable OLLAMA_MAGIC_LOG, or `off` where there is none.

    Raises:
        InputError: The level does not exist, or the file cannot be written; the log stays as it was.

    Example:
        >>> configure("off")
        >>> describe()
        'off; OLLAMA_MAGIC_LOG=debug, or debug:FILE, turns it on'
    """
    level, handler = _parsed(setting or os.environ.get(VARIABLE, ""))
    for old in _own_handlers():
        _ROOT.removeHandler(old)
        old.close()
    _ROOT.setLevel(level)
    if handler is not None:
        handler.setFormatter(logging.Formatter(_FORMAT, "%H:%M:%S"))
        handler.addFilter(_MaskingFilter())
        _ROOT.addHandler(handler)


def begin() -> None:
    """Set up the log at import, silent or as OLLAMA_MAGIC_LOG says; an invalid value does not stop the import."""
    silent = _SilentHandler()
    silent.addFilter(_MaskingFilter())
    _ROOT.addHandler(silent)
    try:
        configure()
    except InputError as error:
        print(f"{VARIABLE}: {error}", file=sys.stderr)


def describe() -> str:
    """Return the level and the target of the log in one line, for `%ollama status --check`."""
    for handler in _own_handlers():
        place = handler.baseFilename if isinstance(handler, logging.FileHandler) else "stderr"
        return f"{logging.getLevelName(_ROOT.level).lower()}, to {one_line(place)}"
    return f"off; {VARIABLE}=debug, or debug:FILE, turns it on"


def log_fault(logger: logging.Logger, error: BaseException) -> str:
    """Log the whole traceback of a fault of our own; return the one line to show.

    Args:
        logger: The logger of the room that caught the fault.
        error: What was raised; its traceback is logged at the level `error`, masked.
    """
    logger.error("a fault of ollama_magic", exc_info=error)
    said = one_line(masked(message_of(error)), 200)
    name = type(error).__name__
    return f"ollama_magic itself failed ({f'{name}: {said}' if said else name}); {_how_to_see()}"


def _how_to_see() -> str:
    if _own_handlers():
        return f"its log ({describe()}) has the traceback; please report it."
    return f"set {VARIABLE}=debug and run again to see where, and please report it."


def _own_handlers() -> list[logging.Handler]:
    return [handler for handler in _ROOT.handlers if isinstance(handler, (_StderrHandler, _PrivateFileHandler))]


def _parsed(setting: str) -> tuple[int, logging.Handler | None]:
    name, _, path = setting.strip().partition(":")
    level = name.strip().lower()
    if level in ("", "off"):
        return logging.NOTSET, None
    if level not in LEVELS:
        raise InputError(
            f"{one_line(name, 40)} is not a log level; use {', '.join(LEVELS)}, "
            "or a level and a file, such as debug:chat.log."
        )
    return LEVELS[level], _file_handler(path.strip()) if path.strip() else _StderrHandler()


def _file_handler(text: str) -> _PrivateFileHandler:
    """Return a handler with an absolute path, so that changing the folder does not move the log."""
    path = os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 (Path raises for ~nobody)
    try:
        return _PrivateFileHandler(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"The log cannot be written to {one_line(path, 120)}: {one_line(str(reason))}.") from None
