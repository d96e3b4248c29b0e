"""Runs the programs of a document and compares what they print:  run_programs.py [PROGRAM EXPECTED]..."""

import difflib
import pathlib
import subprocess
import sys
import tempfile


def lines_of(text):
    return [line.rstrip() for line in text.rstrip().splitlines()]


def run(program, expected):
    """Whether the program ends well and prints what the document shows, if it shows it."""
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run([program], cwd=folder, capture_output=True, text=True)
    if result.returncode != 0:
        print(f"{program} ended with code {result.returncode}", result.stdout, result.stderr, sep="\n")
        return False
    wanted, printed = lines_of(expected), lines_of(result.stdout)
    if wanted and wanted != printed:
        print(*difflib.unified_diff(wanted, printed, "document", "printed", lineterm=""), sep="\n")
        return False
    return True


def main():
    arguments = sys.argv[1:]
    pairs = zip(arguments[::2], arguments[1::2])
    results = [run(pathlib.Path(program).resolve(), pathlib.Path(expected).read_text()) for program, expected in pairs]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
