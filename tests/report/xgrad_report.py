"""What xgrad-report says on its command line, and makes of logs:  xgrad_report.py PROGRAM CASE"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile


def run(program, *arguments, **options):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, **options)


def numbers_in(page):
    return json.loads(re.search(r'id="xgrad-run">(.*)</script>', page.read_text(encoding="utf-8"))[1])


def write_log(path, losses, options=None):
    lines = [{"epoch": i + 1, "loss": loss, "seconds": 1.0} for i, loss in enumerate(losses)]
    if options is not None:
        lines[0]["run"] = {"schema": "xgrad-run", "version": 1, "options": options}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def help_says_what_it_does(program, folder):
    result = run(program, "--help")
    assert result.returncode == 0 and result.stderr == "", result
    for word in ["LOG", "--output", "--monitor", "--maximize", "overlaid"]:
        assert word in result.stdout, (word, result.stdout)


def overlays_several_runs(program, folder):
    write_log(folder / "monday.jsonl", [3, 2, 1], [["rate", "0.1"], ["size", "5"]])
    write_log(folder / "old.jsonl", [4, 5])  # as earlier versions wrote them
    write_log(folder / "tuesday.jsonl", [2, 1, 0.5], [["rate", "0.2"], ["size", "5"]])
    page = folder / "page.html"
    result = run(program, folder / "monday.jsonl", folder / "tuesday.jsonl", "-o", page)
    assert result.returncode == 0 and result.stderr == "" and "2 runs" in result.stdout, result
    text = page.read_text(encoding="utf-8")
    assert "<th scope=\"row\">rate</th><td>0.1</td><td>0.2</td>" in text
    assert "<th scope=\"row\">size</th>" not in text
    # A page is a log, too.
    other = folder / "other.html"
    result = run(program, page, folder / "old.jsonl", "-o", other, "--monitor", "loss", "--maximize")
    assert result.returncode == 0 and "3 runs" in result.stdout, result
    runs = numbers_in(other)["runs"]
    assert [one["title"] for one in runs] == ["monday", "tuesday", "old"], runs
    assert [[epoch["loss"] for epoch in one["epochs"]] for one in runs] == [[3, 2, 1], [2, 1, 0.5], [4, 5]]
    assert all(one["monitor"] == "loss" and one["maximize"] for one in runs)
    # Runs that are called alike are told apart by their files.
    for name in ["a", "b"]:
        run(program, folder / "monday.jsonl", "-o", folder / f"{name}.html")
    run(program, folder / "a.html", folder / "b.html", "-o", other)
    assert [one["title"] for one in numbers_in(other)["runs"]] == ["monday (a)", "monday (b)"]


def names_do_no_harm(program, folder):
    (folder / "a.jsonl").write_text(json.dumps({"epoch": 1, "</script><script>alert(1)</script>": 1}), encoding="utf-8")
    result = run(program, folder / "a.jsonl", cwd=folder)
    assert result.returncode == 0, result
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in text and text.count("</script") == 1
    assert "</script><script>alert(1)</script>" in numbers_in(folder / "report.html")["runs"][0]["epochs"][0]


def trouble_is_code_2(program, folder):
    write_log(folder / "log.jsonl", [1])
    (folder / "letter").write_text("dear reader", encoding="utf-8")
    for arguments, word in [
        ([], "LOG"),
        (["--unknown", folder / "log.jsonl"], "unknown"),
        (["--maximize", folder / "log.jsonl"], "--monitor"),
        ([folder / "none"], "none"),
        ([folder / "letter"], "letter"),
        ([folder / "log.jsonl", "-o", folder / "no" / "page.html"], "page.html"),
    ]:
        result = run(program, *arguments, cwd=folder)
        assert result.returncode == 2 and result.stdout == "" and word in result.stderr, (arguments, result)
    assert not (folder / "report.html").exists()


CASES = [help_says_what_it_does, overlays_several_runs, names_do_no_harm, trouble_is_code_2]


def main():
    program, name = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    case = next(case for case in CASES if case.__name__ == name)
    with tempfile.TemporaryDirectory() as folder:
        case(program, pathlib.Path(folder))


if __name__ == "__main__":
    main()
