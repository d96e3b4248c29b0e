"""Every header compiles by itself, so the order of includes never matters:  check_headers.py COMPILER..."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["autograd", "nn", "datasets"]
# Written against the instruction set that the including file chooses.
NOT_BY_THEMSELVES = "autograd/kernels/isa/"


def errors_of(header):
    command = [*(sys.argv[1:] or ["c++"]), "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-I.", "-x", "c++", "-"]
    text = f'#include "{header}"\n'
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True).stderr


def main():
    headers = [str(path.relative_to(ROOT)) for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.hpp"))]
    headers = [header for header in headers if not header.startswith(NOT_BY_THEMSELVES)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        errors = [error for error in pool.map(errors_of, headers) if error]
    print(*errors, sep="\n")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
