"""Runs the tests of a built folder, prints failures in full, and counts:  run_tests.py BUILD [FILTER]

A case is one Boost test case, or one test that meson knows besides (an example program, a document, the installation).
FILTER keeps the cases whose path, such as `optimizers/adam_matches_reference`, contains it. What a test needs may be
missing on a machine: those that meson knows end with code 77 then, and are counted on a line of their own.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

UNIT_TIMEOUT_SECONDS = 1800
# The programs of Boost test cases; the later ones are built where what they need is there.
UNIT_PROGRAMS = ["tests/tests", "tests/onnx/tests_onnx"]


class Count:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed = passed
        self.failed = failed
        self.skipped = skipped

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed"


def list_cases(command):
    """The paths of all Boost test cases, from the indented tree that --list_content prints; `*` marks what would run."""
    listing = subprocess.run([*command, "--list_content"], capture_output=True, text=True, check=True).stderr
    enabled = [line for line in listing.splitlines() if "*" in line]
    indents = [len(line) - len(line.lstrip()) for line in enabled] + [0]
    paths, parents = [], []
    for i, line in enumerate(enabled):
        while parents and parents[-1][0] >= indents[i]:
            parents.pop()
        parents.append((indents[i], line.strip().split("*")[0]))
        if indents[i + 1] <= indents[i]:
            paths.append("/".join(name for _, name in parents))
    return paths


def read_report(path, expected):
    """Counts the cases of Boost's XML report; those that never ran or are not in it have failed."""
    try:
        results = [case.get("result") for case in ElementTree.parse(path).iter("TestCase")]
    except (OSError, ElementTree.ParseError):
        print("the test program ended without a report")
        results = []
    passed = results.count("passed")
    return Count(passed, max(expected, len(results)) - passed)


def run_unit_tests(command, is_wanted):
    """Runs those cases of a program of Boost test cases whose path is_wanted; the command begins with what runs it."""
    cases = list_cases(command)
    selected = [case for case in cases if is_wanted(case)]
    if not selected:
        return Count()
    program = command[-1]
    command = [*command, "--log_level=error", "--color_output=no", "--report_format=XML", "--report_level=detailed"]
    if len(selected) < len(cases):
        command += [f"--run_test={case}" for case in selected]
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        try:
            code = subprocess.run(command + [f"--report_sink={report}"], timeout=UNIT_TIMEOUT_SECONDS).returncode
        except subprocess.TimeoutExpired:
            print(f"the test program did not end within {UNIT_TIMEOUT_SECONDS} s")
            code = None
        count = read_report(report, len(selected))
    if code != 0:
        print(f"{program} ended with code {code}")
        count.failed = max(count.failed, 1)
    return count


def run_meson_tests(build, wanted):
    """Everything that meson knows as a test, one after the other: programs use all processors themselves."""
    tests = json.loads(subprocess.run(["meson", "introspect", build, "--tests"], capture_output=True, check=True).stdout)
    selected = [test["name"] for test in tests if wanted in test["name"]]
    if not selected:
        return Count()
    log = pathlib.Path(build) / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--num-processes=1", *selected], capture_output=True)
    results = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    for result in results:
        if result["result"] == "SKIP":
            print(f"{result['name']} is skipped: {result.get('stdout', '').strip()}")
        elif result["result"] != "OK":
            print(f"{result['name']}: {result['result']} (code {result['returncode']})")
            print(result.get("stdout", ""), result.get("stderr", ""), sep="\n")
    outcomes = [result["result"] for result in results]
    passed, skipped = outcomes.count("OK"), outcomes.count("SKIP")
    return Count(passed, len(selected) - passed - skipped, skipped)


def main():
    build, wanted = sys.argv[1], "".join(sys.argv[2:3])
    programs = [path for path in (pathlib.Path(build) / name for name in UNIT_PROGRAMS) if path.exists()]
    count = sum((run_unit_tests([path], lambda case: wanted in case) for path in programs), Count())
    count += run_meson_tests(build, wanted)
    if count.passed + count.failed + count.skipped == 0:
        print(f"no test matches '{wanted}'")
    if count.skipped:
        print(f"{count.skipped} skipped")
    sys.stdout.flush()
    print(count)
    return 0 if count.failed == 0 and count.passed + count.skipped > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
