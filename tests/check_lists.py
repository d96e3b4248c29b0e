"""Every .cpp file of the tree is built, and every document's C++ blocks are:  check_lists.py SOURCE_FOLDER BUILD_FOLDER

Meson lists files by name; a test that nobody listed would pass by never running.
"""

import json
import pathlib
import re
import sys

FOLDERS = ["autograd", "nn", "datasets", "examples", "tests"]
COMPILED_BY_ITS_TEST = "tests/install/"


def listed_sources(build):
    """What the compiler is given; of files that Meson joins to units, what those include."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    for command in commands:
        path = (pathlib.Path(command["directory"]) / command["file"]).resolve()
        if re.search(r"-unity\d+\.cpp$", path.name):
            yield from (pathlib.Path(name).resolve() for name in re.findall(r"#include\s*<(.+)>", path.read_text()))
        yield path


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    built = set(listed_sources(build))
    sources = [path for folder in FOLDERS for path in sorted((source / folder).rglob("*.cpp"))]
    missing = [str(path.relative_to(source)) for path in sources if path not in built]
    missing = [path for path in missing if not path.startswith(COMPILED_BY_ITS_TEST)]

    listed = (source / "tests" / "docs" / "meson.build").read_text(encoding="utf-8")
    documents = [source / "README.md", *sorted((source / "docs").glob("*.md"))]
    missing += [name for name in (str(path.relative_to(source)) for path in documents) if f"'{name}'" not in listed]

    for name in missing:
        print(f"{name} is in no meson.build")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
