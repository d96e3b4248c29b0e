"""Every header compiles by itself, so the order of includes never matters:  check_headers.py COMPILER..."""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["autograd", "nn", "datasets", "onnx", "distributed"]
# Written against the instruction set that the including file chooses.
NOT_BY_THEMSELVES = "autograd/kernels/isa/"


def generate_messages(folder):
    """What headers of onnx/ include; False where there is no protobuf, without which they are not used."""
    if shutil.which("protoc") is None:
        return False
    subprocess.run(["protoc", "--proto_path=onnx", f"--cpp_out={folder}", "model.proto"], cwd=ROOT, check=True)
    return True


def mpi_flags():
    """Where <mpi.h> is; nothing where there is no MPI, without which the headers that include it are not used."""
    for name in ("ompi-c", "mpich"):
        found = subprocess.run(["pkg-config", "--cflags", name], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split()
    return []


def needs_mpi(header):
    return header.startswith("distributed/") and header != "distributed/world.hpp"


def errors_of(header, messages):
    command = [*(sys.argv[1:] or ["c++"]), "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-I.", "-isystem", messages]
    command += [*(mpi_flags() if needs_mpi(header) else []), "-DOMPI_SKIP_MPICXX", "-DMPICH_SKIP_MPICXX", "-x", "c++", "-"]
    text = f'#include "{header}"\n'
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True).stderr


def main():
    headers = [str(path.relative_to(ROOT)) for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.hpp"))]
    headers = [header for header in headers if not header.startswith(NOT_BY_THEMSELVES)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool, tempfile.TemporaryDirectory() as messages:
        if not generate_messages(messages):
            print("headers of onnx/ are left out: there is no protobuf")
            headers = [header for header in headers if not header.startswith("onnx/")]
        if not mpi_flags():
            print("headers of distributed/ are left out: there is no MPI")
            headers = [header for header in headers if not needs_mpi(header)]
        errors = [error for error in pool.map(lambda header: errors_of(header, messages), headers) if error]
    print(*errors, sep="\n")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
