"""The path of the notebook as setting, front end or server say it; `evidence` finds out where it is now."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

VSCODE_VARIABLE = "__vsc_ipynb_file__"
SERVER_VARIABLE = "JPY_SESSION_NAME"
_SCHEME = re.compile(r"[A-Za-z][\w+-]+:(?!\\)")  # `untitled:…`; one letter is a drive


def declared_path(setting: str, user_ns: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Path | None, bool]:
    """Return the path by the setting, else by VS Code's variable, else by the session's name; None if nothing says it.

    The second value says whether it lasts: the session's name is that of the kernel's first start.
    """
    if setting.strip():
        return _resolved(Path(setting.strip())), True
    name = user_ns.get(VSCODE_VARIABLE)
    if isinstance(name, str) and name and not _SCHEME.match(name):
        return _resolved(Path(name)), True
    name = environ.get(SERVER_VARIABLE, "")
    return (_session_path(name), False) if name.endswith(".ipynb") else (None, False)


def _resolved(path: Path) -> Path | None:
    try:
        return Path(os.path.realpath(path.expanduser()))
    except (OSError, ValueError, RuntimeError):
        return None


def _session_path(name: str) -> Path | None:
    """Return the session's name as a path; a relative one starts at the server's root, the kernel in its own folder."""
    path = Path(name)
    with suppress(OSError, ValueError):
        return _resolved(path if path.is_absolute() or os.path.lexists(path) else Path(path.name))
    return None
