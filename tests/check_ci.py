"""What .ci/run does when time is up, and how it counts: it is tried on a tree whose scripts do nothing; and it is the
only one that takes warnings for errors."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXTRAS = ["sanitizers", "thread_sanitizer", "clang", "fuzzers", "format"]  # the first ones, in their order
STUBS = {
    "bootstrap": "exit 0",
    "test": "echo noise; echo '5 passed, 0 failed'",
    "format": "echo '1 file is wrong'; exit 1",
    "docs": "exit 0",
}


def run_ci(*parts, **environment):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        shutil.copytree(ROOT / ".ci", root / ".ci")
        (root / "script").mkdir()
        for name, text in STUBS.items():
            script = root / "script" / name
            script.write_text(f"#!/bin/sh\n{text}\n")
            script.chmod(0o755)
        done = subprocess.run(
            [root / ".ci" / "run", *parts], env={**os.environ, **environment}, capture_output=True, text=True
        )
        return done.returncode, done.stdout.splitlines()


def errors():
    code, lines = run_ci(XGRAD_CI_SKIP_AFTER="0", XGRAD_CI_DAY="0")
    if code != 0 or lines[-1] != "5 passed, 0 failed":
        yield f"the tests alone: {code}, {lines}"
    for name in EXTRAS:
        if f"skipped {name}: the time is up" not in lines:
            yield f"{name} should be skipped by name: {lines}"

    for day, name in enumerate(EXTRAS):
        _, lines = run_ci(XGRAD_CI_SKIP_AFTER="0", XGRAD_CI_DAY=str(day))
        headings = [line for line in lines if line.startswith("== ")]
        if headings[:2] != ["== tests", f"== {name}"]:
            yield f"on day {day}, {name} should begin: {headings}"

    code, lines = run_ci("tests", "format", "reference")
    if code == 0 or lines[-1] != "6 passed, 1 failed" or "failed: format" not in lines:
        yield f"5 cases, a check that fails and one that passes: {code}, {lines}"

    for path in [ROOT / "meson.build", *(ROOT / "script").iterdir()]:
        if path.is_file() and "werror=true" in path.read_text(encoding="utf-8"):
            yield f"{path.name} takes warnings for errors"


def main():
    found = list(errors())
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
