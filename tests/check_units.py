"""The library's sources compile as one, so it never matters which of them are compiled together:  check_units.py COMPILER...

As three, to be exact, one for each of Meson's lists, in one order and the other. Those of the library of MPI are one more,
where there is MPI. It also finds types of the same name, which no linker would.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ["autograd", "datasets", "nn", "distributed"]
LISTS = ["xgrad_hot_sources", "xgrad_sources", "xgrad_seldom_sources", "mpi_sources"]
FLAGS = "-std=c++20 -fsyntax-only -Wall -Wextra -Wshadow -Wno-restrict -Wno-subobject-linkage -Wno-unknown-warning-option -DHAVE_CBLAS=1 -I.".split()


def flags_of(module):
    """What pkg-config says; None where there is no such module."""
    found = subprocess.run(["pkg-config", "--cflags", module], capture_output=True, text=True)
    return found.stdout.split() if found.returncode == 0 else None


def mpi_flags():
    """Without MPI's own C++ interface. None where there is no MPI."""
    flags = flags_of("ompi-c") or flags_of("mpich")
    return flags and [*flags, "-DOMPI_SKIP_MPICXX", "-DMPICH_SKIP_MPICXX"]


def sources_of(name):
    """What the rooms' meson.build files add to a list."""
    sources = []
    for folder in ROOMS:
        for file in sorted((ROOT / folder).rglob("meson.build")):
            for group in re.findall(rf"^{name} \+?= files\((.*?)\)$", file.read_text(), re.MULTILINE | re.DOTALL):
                sources += [file.parent.relative_to(ROOT) / source for source in re.findall(r"'([^']+\.cpp)'", group)]
    return sources


def errors_of(sources):
    text = "".join(f'#include "{source}"\n' for source in sources)
    command = [*(sys.argv[1:] or ["c++"]), *FLAGS, *(flags_of("openblas") or []), *(mpi_flags() or []), "-x", "c++", "-"]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True).stderr


def main():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        units = [sources_of(name) for name in LISTS if name != "mpi_sources" or mpi_flags()]
        errors = [error for error in pool.map(errors_of, [*units, *(unit[::-1] for unit in units)]) if error]
    if not all(units):
        errors.append("Meson's lists are not found")
    print(*errors, sep="\n")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
