"""Installs a build into a temporary folder and uses it from outside the tree, as a user would:

    check_install.py SOURCE_FOLDER BUILD_FOLDER COMPILER...

A program builds with pkg-config's flags alone and runs; its headers add less than two seconds to xtensor's own; and
all installed headers compile together without a warning, so none includes one that is not installed.
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile

MAX_ADDED_SECONDS = 2.0
TRIES = 3
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, text=True, **options)


def cpu_seconds(*command):
    """Processor time of a command: unlike the clock's, it does not depend on what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(*command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    source, build, *compiler = sys.argv[1:]
    examples = pathlib.Path(source) / "tests" / "install"
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        run("meson", "install", "-C", build, "--no-rebuild", "--quiet", env={**os.environ, "DESTDIR": folder})
        (module,) = root.rglob("xgrad.pc")
        environment = {**os.environ, "PKG_CONFIG_PATH": str(module.parent)}
        query = run("pkg-config", "--cflags", "--libs", "xgrad", env=environment, capture_output=True)
        flags = query.stdout.split()

        program = root / "program"
        compile_program = [*compiler, "-std=c++20", examples / "program.cpp", *flags, "-o", program]
        compile_xtensor_only = [*compiler, "-std=c++20", examples / "xtensor_only.cpp", *flags, "-o", root / "xtensor_only"]
        ours = min(cpu_seconds(*compile_program) for _ in range(TRIES))
        theirs = min(cpu_seconds(*compile_xtensor_only) for _ in range(TRIES))
        print(f"compile time: {ours:.2f} s, with xtensor only {theirs:.2f} s")

        (library,) = root.rglob("libxgrad.so")
        environment = {**os.environ, "LD_LIBRARY_PATH": str(library.parent)}
        run(program, env=environment)
        for doctor in root.rglob("bin/xgrad-doctor"):
            run(doctor, "--help", env=environment, stdout=subprocess.DEVNULL)

        (headers,) = (path.parent.parent for path in root.rglob("autograd/autograd.hpp"))
        everything = root / "everything.cpp"
        includes = [f"#include <{path.relative_to(headers)}>\n" for path in sorted(headers.rglob("*.hpp"))]
        everything.write_text("".join(includes), encoding="utf-8")
        # Not as a system folder, as pkg-config's -I is: warnings in headers must show.
        run(*compiler, "-std=c++20", *WARNINGS, "-fsyntax-only", everything, *flags)
        print(f"{len(includes)} headers installed")
    return 0 if ours - theirs < MAX_ADDED_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
