"""The library's sources compile as one, so it never matters which of them are compiled together:  check_units.py COMPILER...

As two, to be exact: those that know no tensors are always apart from the others. It also finds types of the same name,
which no linker would.
"""

import concurrent.futures
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
GROUND = ["autograd/runtime", "autograd/array", "autograd/kernels", "autograd/formula", "datasets"]
ABOVE = ["autograd/graph", "autograd/ops", "autograd/transforms", "autograd/loops", "autograd/plan", "nn"]
# Compiled once per instruction set, and a program.
BY_THEMSELVES = ("autograd/kernels/isa/", "nn/inspect/", "nn/report/xgrad_report.cpp")
FLAGS = "-std=c++20 -fsyntax-only -Wall -Wextra -Wshadow -Wno-restrict -Wno-subobject-linkage -Wno-unknown-warning-option -DHAVE_CBLAS=1 -I.".split()


def errors_of(rooms):
    sources = [str(path.relative_to(ROOT)) for room in rooms for path in sorted((ROOT / room).rglob("*.cpp"))]
    text = "".join(f'#include "{source}"\n' for source in sources if not source.startswith(BY_THEMSELVES))
    libraries = subprocess.run(["pkg-config", "--cflags", "openblas"], check=True, capture_output=True, text=True).stdout
    command = [*(sys.argv[1:] or ["c++"]), *FLAGS, *libraries.split(), "-x", "c++", "-"]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True).stderr


def main():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        errors = [error for error in pool.map(errors_of, [GROUND, ABOVE]) if error]
    print(*errors, sep="\n")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
