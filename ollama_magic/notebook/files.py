"""Whole files: read with a bound and as data, written at once or not at all; each trouble is one readable line."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from ollama_magic.errors import InputError, OllamaMagicError, StoreError
from ollama_magic.foreign import one_line, repaired

LIMIT = 200_000_000  # bytes of a file that is read
LONGEST_NUMBER = 25  # digits; older Pythons take quadratic time for long ones
BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def full_path(name: str | Path) -> Path:
    """Return the path with `~` and links followed; InputError for what cannot be a path."""
    try:
        return Path(os.path.realpath(Path(name).expanduser()))
    except (ValueError, RuntimeError, OSError):
        raise InputError(f"“{one_line(str(name), 80)}” cannot be the name of a file.") from None


def shown(path: Path) -> str:
    """The path as an error may quote it."""
    return one_line(str(path))


def read_text(path: Path, limit: int = LIMIT) -> str:
    """Return a text file's content: UTF-8, or what its byte order mark says. InputError says what is wrong with it."""
    try:
        data = _read(path, limit)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    return _decoded(data, path)


def parse_json(text: str, path: Path) -> Any:
    """Read JSON of unknown origin; InputError if it is none, or nested too deeply."""
    try:
        return json.loads(text, parse_int=_number)
    except ValueError as error:
        raise InputError(f"{shown(path)} is not JSON ({one_line(str(error), 100)}).") from None
    except RecursionError:
        raise InputError(f"{shown(path)} is nested too deeply to be read.") from None


def write_text(path: Path, text: str, *, force: bool = False) -> None:
    """Write the file whole or not at all; without `force` an existing one stays, however late it came.

    A new file has the mode that the umask gives, as everything that a user saves; an overwritten one keeps its own.
    """
    mode = _mode_there(path, force=force)
    spare = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}")
    try:
        _write(spare, repaired(text).encode(), mode)
        if not force:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # the name is ours from here on
        spare.replace(path)
    except FileExistsError:
        raise _exists(path) from None
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            spare.unlink()


def text_of(value: object) -> str | None:
    """A text as notebooks keep it, one string or a list of lines; None for anything else."""
    if isinstance(value, str):
        return repaired(value)
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return repaired("".join(value))
    return None


def _read(path: Path, limit: int) -> bytes:
    if path.is_dir():
        raise IsADirectoryError
    # Without O_NONBLOCK a pipe of that name would be waited for.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 (a descriptor)
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError("it is no regular file")
        data = file.read(limit + 1) if facts.st_size <= limit else b""
    if facts.st_size > limit or len(data) > limit:
        raise ValueError(f"it is larger than {limit // 1_000_000} MB")
    return data


def _decoded(data: bytes, path: Path) -> str:
    encoding = next((name for mark, name in BOMS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0" if b"\0" in data else ""
        if not text:
            raise InputError(f"{shown(path)} is not in UTF-8; save it as UTF-8, then open it again.") from None
    if "\0" in text:
        raise InputError(f"{shown(path)} is not a text file; a saved conversation is JSON, Markdown or a notebook.")
    return text


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_NUMBER else 0


def _mode_there(path: Path, *, force: bool) -> int | None:
    """Return the permissions of the file that will be replaced, None if there is none; refuse what is no file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{shown(path)} is a folder; name a file in it.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{shown(path)} is no regular file; choose another name.")
    if not force:
        raise _exists(path)
    return stat.S_IMODE(mode)


def _write(spare: Path, data: bytes, mode: int | None) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    first = 0o666 if mode is None else 0o600
    with open(os.open(spare, flags, first), "wb") as file:  # noqa: PTH123 (a descriptor)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        spare.chmod(mode)


def _exists(path: Path) -> InputError:
    return InputError(f"{shown(path)} exists; choose another name, or overwrite it with --force.")


def _unreadable(path: Path, error: Exception) -> InputError:
    name = shown(path)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(f"There is no file {name}; look at its name and folder.")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{name} is a folder; name a file in it.")
    if isinstance(error, PermissionError):
        return InputError(f"{name} may not be read by you; look at its permissions.")
    return InputError(f"{name} cannot be read: {_reason(error)}.")


def _unwritable(path: Path, error: Exception) -> OllamaMagicError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(f"There is no folder {shown(path.parent)}; make it first, or choose another.")
    if isinstance(error, PermissionError):
        return InputError(f"{shown(path.parent)} may not be written by you; choose another folder.")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"The disk of {shown(path)} is full; nothing was saved.")
    return StoreError(f"{shown(path)} cannot be written: {_reason(error)}; nothing was saved.")


def _reason(error: Exception) -> str:
    return one_line((error.strerror if isinstance(error, OSError) else None) or str(error), 100)
