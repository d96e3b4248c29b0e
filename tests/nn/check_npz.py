"""Holds NPZ files against others' programs:  check_npz.py numpy|memory COPY_NPZ

    numpy    arrays that NumPy has written are copied by COPY_NPZ, and read by NumPy again; without NumPy the check ends
             with code 77
    memory   reading a file that turns out bad takes no more than ten times its size, whatever the file states
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

SKIPPED = 77
DEBIAN_PYTHON = "/usr/bin/python3"  # which has Debian's packages, where another Python comes first
MEGABYTE = 1 << 20


def require(condition, text):
    if not condition:
        sys.exit(text)


# numpy


def made_arrays(numpy):
    """Arrays of every type that is read, and the type that each is read as."""
    same = ["bool", "uint8", "int32", "int64", "float32", "float64", ">i4", ">f8"]
    wider = {"float16": "float32", "int8": "int32", "int16": "int32", "uint16": "int32", "uint32": "int64"}
    types = {name: numpy.dtype(name).newbyteorder("=") for name in same} | wider
    arrays, expected = {}, {}
    for number, (name, read_as) in enumerate(types.items()):
        array = (numpy.arange(24) % 7).reshape(2, 3, 4).astype(name)
        kinds = {"plain": array, "fortran": numpy.asfortranarray(array), "scalar": array[1, 1, 1], "empty": array[:0]}
        for kind, each in kinds.items():
            arrays[f"{number}.{kind}"] = each
            expected[f"{number}.{kind}"] = each.astype(read_as)
    arrays["naïve"] = expected["naïve"] = numpy.zeros((3000, 100), "float32")
    return arrays, expected


def check_with_numpy(copy, folder):
    import numpy

    arrays, expected = made_arrays(numpy)
    for save in (numpy.savez, numpy.savez_compressed):
        save(folder / "from.npz", **arrays)
        subprocess.run([copy, folder / "from.npz", folder / "to.npz"], check=True)
        with numpy.load(folder / "to.npz", allow_pickle=False) as found:
            require(sorted(found.files) == sorted(expected), f"{save.__name__}: other names: {found.files}")
            for name, array in expected.items():
                alike = found[name].dtype == array.dtype and numpy.array_equal(found[name], array)
                require(alike, f"{save.__name__}: {name} is {found[name]}, not {array}")
        require(zipfile.ZipFile(folder / "to.npz").testzip() is None, "a checksum is wrong")
        print(f"{save.__name__}: {len(expected)} arrays")


# memory


def header(size):
    """Of an array of so many bytes."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},), }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def write(path, method, **arrays):
    """Writes arrays of zeros; of each, the size that its header states and the one that it has. What this process had in
    memory would count as that of the program, so it is never much."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, (stated, size) in arrays.items():
            with file.open(name + ".npy", "w") as entry:
                entry.write(header(stated))
                for begin in range(0, size, MEGABYTE):
                    entry.write(bytes(min(MEGABYTE, size - begin)))


def spoil_last_checksum(path):
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\1\2", 16), (b"PK\3\4", 14)):
        content[content.rfind(signature) + offset] ^= 1
    path.write_bytes(content)


def peak_bytes(copy, path):
    """The code that the program ends with, and the most memory that it had."""
    process = subprocess.Popen([copy, path, path.with_suffix(".copy")], stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * 1024


def check_memory(copy, folder):
    large = (200 * MEGABYTE, 200 * MEGABYTE)
    path = folder / "a.npz"
    write(path, zipfile.ZIP_STORED, x=(3, 3))
    code, least = peak_bytes(copy, path)
    require(code == 0, "a small file is not read")

    files = {
        "a header that lies": (zipfile.ZIP_STORED, {"x": (10**12, 3)}),
        "a header that lies, deflated": (zipfile.ZIP_DEFLATED, {"x": (10**12, 100 * MEGABYTE)}),
        "a wrong checksum": (zipfile.ZIP_DEFLATED, {"x": large}),
        "a wrong checksum behind a large array": (zipfile.ZIP_DEFLATED, {"a": large, "x": (3, 3)}),
    }
    for title, (method, arrays) in files.items():
        write(path, method, **arrays)
        if "checksum" in title:
            spoil_last_checksum(path)
        code, peak = peak_bytes(copy, path)
        require(code == 1, f"{title}: is not refused")
        allowed = least + 10 * path.stat().st_size + 8 * MEGABYTE
        require(peak <= allowed, f"{title}: takes {peak} bytes, {allowed} are enough")
        print(f"{title}: {(peak - least) / MEGABYTE:.1f} MB for a file of {path.stat().st_size / MEGABYTE:.1f} MB")

    write(path, zipfile.ZIP_DEFLATED, x=large)
    code, peak = peak_bytes(copy, path)
    require(code == 0 and peak > least + 200 * MEGABYTE, "an honest large array is not read, or memory is not measured")


def main():
    what, copy = sys.argv[1:]
    if what == "numpy":
        try:
            import numpy  # noqa: F401
        except ImportError:
            if sys.executable != DEBIAN_PYTHON and os.path.exists(DEBIAN_PYTHON):
                os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])
            print("there is no NumPy here")
            return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        {"numpy": check_with_numpy, "memory": check_memory}[what](copy, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
