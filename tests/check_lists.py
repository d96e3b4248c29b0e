"""Every .cpp file of the tree is built, and every document's C++ blocks are:  check_lists.py SOURCE_FOLDER BUILD_FOLDER

Meson lists files by name; a test that nobody listed would pass by never running.
"""

import json
import pathlib
import sys

FOLDERS = ["autograd", "nn", "datasets", "examples", "tests"]
COMPILED_BY_ITS_TEST = "tests/install/"


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    built = {(pathlib.Path(command["directory"]) / command["file"]).resolve() for command in commands}
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
