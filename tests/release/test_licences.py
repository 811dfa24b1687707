"""docs/safety.md: the licences of what is fetched at run time and of what pip installs, as the code pins them."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from ollama_magic.demo.engine.weights import SMOLLM2
from tests.pages import GUIDE, ROOT

PAGE = GUIDE["docs/safety.md"].partition("## Licences\n")[2].partition("\n## ")[0]
PACKAGES = {
    name: (licence, extra)
    for name, licence, extra in re.findall(r"^\| `([\w-]+)` \| ([\w.-]+) \| `?(\w*)`? ?\|", PAGE, re.MULTILINE)
}


def required() -> dict[str, str]:
    """What pyproject.toml has pip install for users, and the extra that does so."""
    project = (ROOT / "pyproject.toml").read_text("utf8").partition("\ndependencies = [")[2]
    needed, _, extras = project.partition("[project.optional-dependencies]\n")
    found = dict.fromkeys(re.findall(r'^    "([\w-]+)', needed.partition("\n]")[0], re.MULTILINE), "")
    for extra, listed in re.findall(
        r"^(lab|local|data|math|files) = \[(.*?)\](?: +#[^\n]*)?$", extras, re.MULTILINE | re.DOTALL
    ):
        found.update(
            {
                name: extra
                for name in re.findall(r'"([\w-]+)>=|"([\w-]+)"', listed)
                for name in name
                if name and name not in found
            }
        )
    return found


def test_the_weights() -> None:
    """The table names the one archive that the code fetches, by its version and both of its hashes, and its licence."""
    (row,) = [line for line in PAGE.splitlines() if f"`{SMOLLM2.project}`" in line]
    assert f"| {SMOLLM2.version} |" in row
    assert f"archive `{SMOLLM2.archive_sha256}`" in row
    assert f"weights `{SMOLLM2.sha256}`" in row
    assert "Apache-2.0" in row


def test_nothing_else_is_fetched() -> None:
    """One archive is pinned in the code, and nothing else there runs pip."""
    texts = {path.name: path.read_text("utf8") for path in (ROOT / "ollama_magic").rglob("*.py")}
    assert [name for name, text in texts.items() if re.search(r"^\w+ = PinnedWeights\(", text, re.MULTILINE)] == [
        "weights.py"
    ]
    assert [name for name, text in texts.items() if '"pip"' in text] == ["weights.py"]


def test_every_package_is_listed() -> None:
    """The table has what users get by pip, each with its extra, and nothing more."""
    assert {name: extra for name, (_, extra) in PACKAGES.items()} == required()


@pytest.mark.parametrize("name", PACKAGES)
def test_its_licence(name: str) -> None:
    """The licence is the one that the installed package says, or its classifier."""
    try:
        found = metadata(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} has no wheel for this machine")
    said = " ".join(
        [found.get("License-Expression") or "", found.get("License") or "", *(found.get_all("Classifier") or [])]
    )
    family = PACKAGES[name][0].partition("-")[0]
    assert re.search(rf"\b{family}\b", said)
