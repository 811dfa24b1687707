"""Automatic loading: one small file in an IPython profile's `startup`, written and removed on request.

It is not an entry in the profile's configuration, because that belongs to the user and may be Python. Environments
without this package may share the profile, and such an entry would fail there at every start.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from ollama_magic.errors import InputError

NAME = "50-ollama_magic.py"
MARK = "# Written by `ollama-magic enable`; `ollama-magic disable` takes it away."
TEXT = f"""{MARK}
def _load_ollama_magic():
    from importlib.util import find_spec

    extensions = get_ipython().extension_manager
    if find_spec("ollama_magic") and "ollama_magic" not in extensions.loaded:
        extensions.load_extension("ollama_magic")


_load_ollama_magic()
del _load_ollama_magic
"""


def enable(profile: str = "default") -> tuple[Path, bool]:
    """Make IPython and its kernels load the extension at start; return the file, and whether it was written now."""
    file = _file(profile, make=True)
    if file.exists():
        if _text(file) == TEXT:
            return file, False
        _refuse_foreign(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TEXT, encoding="utf8")
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}).") from None
    return file, True


def disable(profile: str = "default") -> tuple[Path, bool]:
    """Undo `enable`; return the file, and whether it existed."""
    file = _file(profile, make=False)
    if not file.exists():
        return file, False
    _refuse_foreign(file)
    try:
        file.unlink()
    except OSError as error:
        raise InputError(f"{file} cannot be removed ({error.strerror}).") from None
    return file, True


def _file(profile: str, *, make: bool) -> Path:
    """Return the file's path; IPython creates the default profile at its first start, any other must exist."""
    if not re.fullmatch(r"[\w.-]+", profile):
        raise InputError(f"{profile!r} is not the name of an IPython profile.")
    folder = _ipython_folder() / f"profile_{profile}"
    if make and profile != "default" and not folder.is_dir():
        raise InputError(f"There is no IPython profile {profile}; `ipython profile create {profile}` creates it.")
    return folder / "startup" / NAME


def _ipython_folder() -> Path:
    """Return IPython's folder; where it cannot be written IPython makes a new one at each start, and reads no other."""
    from IPython.paths import get_ipython_dir

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            folder = Path(get_ipython_dir())
        except OSError as error:
            raise InputError(f"IPython's folder {error.filename} cannot be created ({error.strerror}).") from None
    if any("using a temp directory" in str(one.message) for one in said):
        raise InputError("IPython's folder cannot be written; IPYTHONDIR names another one.")
    return folder


def _refuse_foreign(file: Path) -> None:
    if not _text(file).startswith(MARK):
        raise InputError(f"{file} already exists and was not written by `ollama-magic enable`; it was not changed.")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf8", errors="replace")
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}).") from None
