"""What the system's package manager may bring, where that is allowed: as root, or by a sudo that asks nothing."""

from __future__ import annotations

import os
import shutil
import subprocess


class Missing(Exception):
    """Something cannot be had; one line says why."""


def run(*command: str, env: dict[str, str] | None = None) -> str:
    """Return what a command prints; Missing with its last line if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise Missing(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        lines = [line.strip(" │║╔╗╚╝═") for line in (done.stderr + done.stdout).splitlines()]
        reason = next((line for line in lines if "rror" in line or line.startswith("E:")), f"status {done.returncode}")
        raise Missing(reason[:160])
    return done.stdout


def install(*packages: str) -> None:
    """Have apt install Debian's packages; Missing where there is no apt, no right, or no such package."""
    if shutil.which("apt-get") is None:
        raise Missing("there is no apt-get")
    as_root = _as_root()
    print(f"Installing {', '.join(packages)} with apt-get …", flush=True)
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    run(*apt, "update")
    run(*apt, "--no-install-recommends", "install", *packages)


def _as_root() -> list[str]:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    try:
        run("sudo", "-n", "true")
    except Missing:
        raise Missing("no right to install a package") from None
    return ["sudo", "-n"]
