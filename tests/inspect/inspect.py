"""What xgrad-inspect says on its command line, about files that NumPy's and our formats describe:

    inspect.py PROGRAM CASE
"""

import gzip
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile


def run(program, *arguments, **options):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, **options)


def safetensors(arrays, metadata=None):
    """A file of float32 arrays of one axis, as its specification has it."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, elements in arrays.items():
        stored = struct.pack(f"<{len(elements)}f", *elements)
        header[name] = {"dtype": "F32", "shape": [len(elements)], "data_offsets": [len(data), len(data) + len(stored)]}
        data += stored
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def idx(elements):
    return bytes([0, 0, 8, 1]) + struct.pack(">I", len(elements)) + bytes(elements)


def rows(text):
    return [line.split() for line in text.splitlines()]


def prints_a_table(program, folder):
    (folder / "model").write_bytes(safetensors({"0.weight": [1, 2, 6], "0.bias": [float("nan")]}, {"format": "pt"}))
    result = run(program, folder / "model")
    assert result.returncode == 0 and result.stderr == "", result
    table = rows(result.stdout)
    assert "2 arrays, 4 elements, 16 bytes" in result.stdout, result.stdout
    assert ["0.weight", "float32", "(3,)", "12", "1", "6", "3", "0", "0"] in table, result.stdout
    assert ["0.bias", "float32", "(1,)", "4", "-", "-", "-", "1", "0"] in table, result.stdout
    assert ["format", "pt"] in table, result.stdout
    (folder / "images.gz").write_bytes(gzip.compress(idx([3, 4])))
    assert ["array", "uint8", "(2,)", "2", "3", "4", "3.5", "0", "0"] in rows(run(program, folder / "images.gz").stdout)


def compares_two_files(program, folder):
    (folder / "a").write_bytes(safetensors({"w": [1, 2, 6], "b": [1]}))
    (folder / "b").write_bytes(safetensors({"w": [1, 2.5, 4], "c": [1]}))
    same = run(program, folder / "a", folder / "a")
    assert (same.returncode, same.stdout, same.stderr) == (0, "equal\n", ""), same
    other = run(program, folder / "a", folder / "b")
    assert other.returncode == 1 and other.stderr == "", other
    assert other.stdout.splitlines() == [
        "b: only in the first",
        "c: only in the second",
        "w: 2 of 3 elements differ, by 2 at most",
    ], other.stdout


def trouble_is_code_2(program, folder):
    (folder / "letter").write_text("dear", encoding="utf-8")
    whole = safetensors({"w": [1, 2, 6]})
    (folder / "cut").write_bytes(whole[:-1])
    (folder / "whole").write_bytes(whole)
    for arguments in [[folder / "none"], [folder / "letter"], [folder / "cut"], [folder / "whole", folder / "cut"]]:
        result = run(program, *arguments)
        assert result.returncode == 2 and result.stdout == "", (arguments, result)
        assert len(result.stderr.splitlines()) == 1 and str(arguments[-1]) in result.stderr, result.stderr
    for arguments in [[], ["--unknown"], ["a", "b", "c"]]:
        result = run(program, *arguments)
        assert result.returncode == 2 and result.stdout == "", (arguments, result)
        assert len(result.stderr.splitlines()) == 1 and "--help" in result.stderr, result.stderr
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([program, str(folder / "whole")], stdout=full, stderr=subprocess.PIPE, check=False)
        assert result.returncode == 2 and b"cannot be written" in result.stderr, result


def help_says_what_it_does(program, _):
    result = run(program, "--help")
    assert result.returncode == 0 and result.stderr == "", result
    for word in ["--help", "file", "other", "safetensors", "NPZ", "NPY", "IDX", "code 0"]:
        assert word in result.stdout, word


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        globals()[sys.argv[2]](sys.argv[1], pathlib.Path(place))
