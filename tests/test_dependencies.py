"""pyproject.toml is the one home of the dependencies; the lock and environment.yml hold to it."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
EXTRAS = PROJECT["optional-dependencies"]
LOCKED_EXTRAS = sorted(EXTRAS.keys() - {"spark"})  # Spark: 400 MB, and it needs Java
DECLARED = [
    Requirement(text)
    for text in [*PROJECT["dependencies"], *(requirement for extra in LOCKED_EXTRAS for requirement in EXTRAS[extra])]
]
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")


def pins() -> list[tuple[Requirement, int]]:
    """Every pin of the lock with its number of hashes."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK.strip())
    return [(Requirement(block.split("\\")[0].strip()), block.count("--hash=sha256:")) for block in blocks]


def pinned_version(name: str, python: str) -> str | None:
    environment = {"python_version": python, "python_full_version": f"{python}.1"}
    for pin, _ in pins():
        if canonicalize_name(pin.name) == canonicalize_name(name) and (
            pin.marker is None or pin.marker.evaluate(environment)
        ):
            return next(iter(pin.specifier)).version
    return None


@pytest.mark.parametrize("python", SUPPORTED)
@pytest.mark.parametrize("declared", DECLARED, ids=lambda requirement: requirement.name)
def test_the_lock_holds_every_declared_package_in_a_version_that_fits(declared, python):
    version = pinned_version(declared.name, python)
    assert version is not None
    assert declared.specifier.contains(version)


def test_every_pin_is_exact_and_hashed_and_without_a_url():
    assert len(pins()) > 100
    assert all(count > 0 and str(pin.specifier).startswith("==") for pin, count in pins())
    assert "://" not in LOCK
    assert "--index-url" not in LOCK


def test_make_lock_takes_every_extra_that_the_lock_shall_hold():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"--extra (\w+)", makefile) == LOCKED_EXTRAS


def test_conda_users_get_the_same_python_and_the_same_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, from_pip = environment["dependencies"]
    assert Requirement(python).specifier == Requirement(f"python{PROJECT['requires-python']}").specifier
    assert pip == "pip"
    assert from_pip == {"pip": ["-r requirements.lock"]}


def test_supported_pythons_are_those_of_the_makefile():
    assert all(Requirement(f"python{PROJECT['requires-python']}").specifier.contains(f"{p}.0") for p in SUPPORTED)
    assert "(3, 11) <= sys.version_info[:2] <= (3, 14)" in (ROOT / "Makefile").read_text(encoding="utf-8")
