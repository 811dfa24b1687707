"""Reads files up to a limit and writes them atomically; each error is one readable line."""

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

LIMIT = 200_000_000  # most bytes to read
LONGEST_NUMBER = 25  # digits; older Pythons take quadratic time for long ones
BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def full_path(name: str | Path) -> Path:
    """Return the path with `~` and links resolved; InputError if it cannot be a path."""
    try:
        return Path(os.path.realpath(Path(name).expanduser()))
    except FileNotFoundError:
        raise InputError(
            "The kernel's folder is gone; change it with `%cd`, or name the file with its folder."
        ) from None
    except (ValueError, RuntimeError, OSError):
        raise InputError(f"“{one_line(str(name), 80)}” cannot be the name of a file.") from None


def shown(path: Path) -> str:
    """Return the path for an error message."""
    return one_line(str(path))


def read_text(path: Path, limit: int = LIMIT) -> str:
    """Return a text file's content, in UTF-8 or as its byte order mark says; InputError says why it cannot be read."""
    try:
        data = _read(path, limit)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    return _decoded(data, path)


def parse_json(text: str, path: Path) -> Any:
    """Read JSON; InputError if it is invalid, or nested too deeply."""
    try:
        return json.loads(text, parse_int=_number)
    except ValueError as error:
        raise InputError(f"{shown(path)} is not JSON ({one_line(str(error), 100)}).") from None
    except RecursionError:
        raise InputError(f"{shown(path)} is nested too deeply to be read.") from None


def write_text(path: Path, text: str, *, force: bool = False) -> None:
    """Write the file completely or not at all; without `force` an existing one stays, even if it was just created.

    A new file gets its mode from the umask; an overwritten one keeps its own.
    """
    mode = _mode_there(path, force=force)
    spare = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}")
    try:
        _write(spare, repaired(text).encode(), mode)
        if not force:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # reserves the name
        spare.replace(path)
    except FileExistsError:
        raise _exists(path) from None
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            spare.unlink()


def text_of(value: object) -> str | None:
    """Return a text that a notebook stores as a string or a list of lines; None for anything else."""
    if isinstance(value, str):
        return repaired(value)
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return repaired("".join(value))
    return None


def _read(path: Path, limit: int) -> bytes:
    if path.is_dir():
        raise IsADirectoryError
    # O_NONBLOCK: do not wait for a pipe of that name.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 (a descriptor)
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError("it is not a regular file")
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
            raise InputError(f"{shown(path)} is not in UTF-8; save it as UTF-8, then open it.") from None
    if "\0" in text:
        raise InputError(f"{shown(path)} is not a text file; a saved conversation is JSON, Markdown or a notebook.")
    return text


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_NUMBER else 0


def _mode_there(path: Path, *, force: bool) -> int | None:
    """Return the permissions of the file to be replaced, None if there is none; refuse anything but a file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{shown(path)} is a folder; name a file in it.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{shown(path)} is not a regular file; choose another name.")
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
        return InputError(f"There is no file {name}; check its name and folder.")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{name} is a folder; name a file in it.")
    if isinstance(error, PermissionError):
        return InputError(f"You may not read {name}; check its permissions.")
    return InputError(f"{name} cannot be read: {_reason(error)}.")


def _unwritable(path: Path, error: Exception) -> OllamaMagicError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(f"There is no folder {shown(path.parent)}; create it, or choose another.")
    if isinstance(error, PermissionError):
        return InputError(f"You may not write to {shown(path.parent)}; choose another folder.")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"The disk of {shown(path)} is full; nothing was saved.")
    return StoreError(f"{shown(path)} cannot be written: {_reason(error)}; nothing was saved.")


def _reason(error: Exception) -> str:
    return one_line((error.strerror if isinstance(error, OSError) else None) or str(error), 100)
