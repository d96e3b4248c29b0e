"""Every .cpp file of the tree is built, every document's C++ blocks are, and the reference leaves private headers out:  check_lists.py SOURCE_FOLDER BUILD_FOLDER

Meson lists files by name; a test that nobody listed would pass by never running.
"""

import json
import pathlib
import re
import sys

FOLDERS = ["autograd", "nn", "datasets", "onnx", "distributed", "examples", "tests"]
# Left out as a whole where what they need is missing.
OPTIONAL = (
    "onnx",
    "tests/onnx",
    "tests/fuzz/onnx_target.cpp",
    "examples/export_onnx.cpp",
    "distributed",
    "tests/distributed",
    "examples/distributed_loop.cpp",
    "examples/world_of_mpi.cpp",
    "examples/world_of_one.cpp",
)
COMPILED_BY_THEIR_TESTS = ("tests/install/", "tests/fuzz/fuzz.cpp", "tests/fuzz/no_onnx_target.cpp")


def listed_sources(build):
    """What the compiler is given; of files that Meson joins to units, what those include."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    for command in commands:
        path = (pathlib.Path(command["directory"]) / command["file"]).resolve()
        if re.search(r"-unity\d+\.cpp$", path.name):
            yield from (pathlib.Path(name).resolve() for name in re.findall(r"#include\s*<(.+)>", path.read_text()))
        yield path


def left_out(source, built):
    """The optional folders of which nothing is built."""
    return [name for name in OPTIONAL if not any(path.is_relative_to(source / name) for path in built)]


def is_inside(name, folders):
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)


def headers_in_the_reference(source, build, absent):
    """Private headers that docs/Doxyfile does not exclude."""
    installed = json.loads((build / "meson-info" / "intro-installed.json").read_text(encoding="utf-8"))
    public = {pathlib.Path(path).resolve() for path in installed}
    doxyfile = (source / "docs" / "Doxyfile").read_text(encoding="utf-8")
    excluded = re.search(r"^EXCLUDE +=((?:.*\\\n)*.*)", doxyfile, re.MULTILINE).group(1).replace("\\", " ").split()
    for folder in ("autograd", "nn", "datasets", "onnx", "distributed"):
        for path in sorted((source / folder).rglob("*.hpp")):
            name = str(path.relative_to(source))
            if path not in public and not is_inside(name, excluded + absent):
                yield name


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    built = set(listed_sources(build))
    absent = left_out(source, built)
    sources = [path for folder in FOLDERS for path in sorted((source / folder).rglob("*.cpp"))]
    missing = [str(path.relative_to(source)) for path in sources if path not in built]
    missing = [path for path in missing if not path.startswith(COMPILED_BY_THEIR_TESTS) and not is_inside(path, absent)]

    listed = (source / "tests" / "docs" / "meson.build").read_text(encoding="utf-8")
    documents = [source / "README.md", *sorted((source / "docs").glob("*.md"))]
    missing += [name for name in (str(path.relative_to(source)) for path in documents) if f"'{name}'" not in listed]

    for name in missing:
        print(f"{name} is in no meson.build")
    shown = list(headers_in_the_reference(source, build, absent))
    for name in shown:
        print(f"{name} is not installed, and not in EXCLUDE of docs/Doxyfile")
    return 1 if missing or shown else 0


if __name__ == "__main__":
    sys.exit(main())
