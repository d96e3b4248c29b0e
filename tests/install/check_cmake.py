"""Finds an installed copy from CMake, as README.md says:  check_cmake.py SOURCE_FOLDER BUILD_FOLDER COMPILER...

The project is README.md's own block. It builds with the shared library and with the static one, whichever were built;
a version that this one cannot stand in for is refused. Where CMake is missing, the check ends with code 77.
"""

import pathlib
import shutil
import subprocess
import sys

from installed import EXAMPLES, installation, run, without_library_path

SKIPPED = 77


def read_project(source):
    sys.path.insert(0, str(source / "tests" / "docs"))
    from extract_blocks import read_blocks

    (block,) = (block for block in read_blocks(source / "README.md") if block.language == "cmake")
    return block.text


def configure(root, project, name, *options):
    (headers,) = root.rglob("include/xgrad")
    prefix = f"-DCMAKE_PREFIX_PATH={headers.parent.parent}"
    command = ["cmake", "-G", "Ninja", "-S", project, "-B", root / name, prefix, *options]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def build_and_run(root, project, name, *options):
    configured = configure(root, project, name, *options)
    if configured.returncode != 0:
        sys.exit(f"{name}: {configured.stdout}{configured.stderr}")
    run("cmake", "--build", root / name, stdout=subprocess.DEVNULL)
    run(root / name / "program", env=without_library_path())
    needed = run("ldd", root / name / "program", capture_output=True).stdout
    print(f"{name}: built and run")
    return "libxgrad.so" in needed


def check_beside(root, source_text, name, options):
    """The package of a library beside it gives its target, and finds the other package."""
    project = root / f"{name}_project"
    project.mkdir()
    text = source_text.replace("find_package(xgrad", f"find_package(xgrad-{name}").replace("xgrad::xgrad", f"xgrad::{name}")
    (project / "CMakeLists.txt").write_text(text, encoding="utf-8")
    shutil.copy(EXAMPLES / f"{name}_program.cpp", project / "program.cpp")
    build_and_run(root, project, name, *options)


def main():
    source, build, *compiler = sys.argv[1:]
    if shutil.which("cmake") is None:
        print("there is no CMake here")
        return SKIPPED
    project_text = read_project(pathlib.Path(source))
    with installation(build) as root:
        project = root / "project"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(project_text, encoding="utf-8")
        shutil.copy(EXAMPLES / "program.cpp", project)
        options = [f"-DCMAKE_CXX_COMPILER={compiler[-1]}"]
        shared, static = list(root.rglob("libxgrad.so")), list(root.rglob("libxgrad.a"))
        if build_and_run(root, project, "default", *options) != bool(shared):
            sys.exit("the shared library should be linked where there is one")
        if static and build_and_run(root, project, "static", *options, "-Dxgrad_USE_STATIC_LIBS=ON"):
            sys.exit("the static library was asked for, and the shared one linked")

        for name in ("onnx", "mpi"):
            if list(root.rglob(f"libxgrad-{name}.*")):
                check_beside(root, project_text, name, options)

        later = project_text.replace("find_package(xgrad", "find_package(xgrad 99.0")
        (project / "CMakeLists.txt").write_text(later, encoding="utf-8")
        if configure(root, project, "later", *options).returncode == 0:
            sys.exit("version 99.0 was found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
