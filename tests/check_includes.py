"""Includes run downwards, from room to room, and never in a circle:  check_includes.py SOURCE_FOLDER

A file may include files of its own room and of rooms that stand before it in the list. So a room is understood, tested
and changed without knowing those above it. docs/architecture.md draws the rooms.
"""

import pathlib
import re
import sys

# From the ground up.
ROOMS = [
    "autograd/runtime",
    "autograd/array",
    "autograd/kernels",
    "autograd/formula",
    "autograd/graph",
    "autograd/ops",
    "autograd/transforms",
    "autograd/loops",
    "autograd/provenance",
    "autograd/plan/steps",
    "autograd/plan/passes",
    "autograd/plan/schedule",
    "autograd/plan/run",
    "autograd/plan/report",
    "autograd/plan/trace",
    "autograd/plan",
    "autograd/doctor",
    "autograd",  # autograd.hpp, what users include
    "datasets",
    "nn",
    "nn/inspect",
    "onnx",
    "distributed",
    "examples",
    "benchmarks",
    "tests",
]
# Rooms that stand beside the tower, on a few rooms of it alone.
STANDS_ON = {"datasets": ["autograd/runtime", "autograd/array", "autograd/kernels"]}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.M)


def room_of(path):
    """The room with the longest name that holds the file; None for files that stand in no room."""
    inside = [room for room in ROOMS if path.startswith(room + "/")]
    return max(inside, key=len, default=None)


def may_include(room, other):
    if room == other:
        return True
    if room in STANDS_ON:
        return other in STANDS_ON[room]
    return ROOMS.index(other) < ROOMS.index(room)


def read_includes(root):
    """Per file, what it includes of the project: (line, path), paths as seen from the root."""
    folders = sorted({room.split("/")[0] for room in ROOMS})
    paths = [path for folder in folders for path in sorted((root / folder).rglob("*.[ch]pp"))]
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    includes = {}
    for path, text in texts.items():
        includes[path] = []
        for match in INCLUDE.finditer(text):
            beside = (pathlib.PurePosixPath(path).parent / match[1]).as_posix()
            target = next((name for name in (match[1], beside) if name in texts), None)
            if target:
                includes[path].append((text.count("\n", 0, match.start(1)) + 1, target))
    return includes


def upward_errors(includes):
    for path, targets in includes.items():
        room = room_of(path)
        for line, target in targets:
            other = room_of(target)
            if not may_include(room, other):
                yield (
                    f"{path}:{line}: {room} includes {target}, but {other} is no room below it: move what is needed"
                    f" down into {room}, or what needs it up into {other}"
                )


def cycle_errors(includes):
    """One error per include that closes a circle, by a walk into the depth."""
    finished = set()

    def walk(path, trail):
        if path in trail:
            circle = [*trail[trail.index(path) :], path]
            yield f"{path}: headers include each other: {' -> '.join(circle)}: take one of these includes out"
        elif path not in finished:
            for _, target in includes[path]:
                yield from walk(target, [*trail, path])
            finished.add(path)

    for path in includes:
        yield from walk(path, [])


def errors_in(root):
    includes = read_includes(root)
    return [*upward_errors(includes), *cycle_errors(includes)]


def main():
    errors = errors_in(pathlib.Path(sys.argv[1]))
    print(*errors, sep="\n")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
