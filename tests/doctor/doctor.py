"""What xgrad-doctor says on its command line, and what the library does at the wish of the environment:

    doctor.py PROGRAM CASE
"""

import os
import pathlib
import platform
import re
import subprocess
import sys

WISHES = ["OPENBLAS_CORETYPE", "XGRAD_BLAS_CORE", "XGRAD_ISA", "XGRAD_THREADS"]


def cpu_flags():
    match = re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return match.group(1).split() if match else []


# Kernels of OpenBLAS that this CPU can run, but that are not the best for it.
LESSER = {"amx": "Haswell", "avx512_bf16": "Haswell", "avx512": "Haswell", "avx2": "Prescott"}


def best_set():
    if platform.machine() == "aarch64":
        return "neon"
    flags = cpu_flags()
    if "amx_bf16" in flags:
        return "amx"
    if "avx512_bf16" in flags and "AuthenticAMD" in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        return "avx512_bf16"
    return "avx512" if "avx512vl" in flags else "avx2" if "avx2" in flags else "baseline"


BEST = best_set()


class Report:
    """The lines of a run by section and label, and the advice as one text."""

    def __init__(self, program, **wishes):
        environment = {name: value for name, value in os.environ.items() if name not in WISHES} | wishes
        result = subprocess.run([program, "--quick"], env=environment, capture_output=True, text=True, check=True)
        assert result.stderr == "", result.stderr
        self.lines = {}
        section = None
        for line in result.stdout.splitlines():
            if line and not line.startswith(" "):
                section = line
                self.lines[section] = {}
            elif line and section != "Advice":
                self.lines[section][line[:26].strip()] = line[26:]
            elif line:
                self.lines[section][len(self.lines[section])] = line.strip()
        self.advice = " ".join(self.lines["Advice"].values())

    def core(self):
        return self.lines["BLAS"]["kernels"].split()[0]

    def is_openblas_for_many_cpus(self):
        return "DYNAMIC_ARCH" in self.lines["BLAS"]["version"]


def prints_all_sections(program):
    report = Report(program)
    assert list(report.lines) == ["CPU", "BLAS", "xgrad", "Measured", "Advice"], list(report.lines)
    assert {"model", "processors", "caches", "instruction set", "frequency"} <= set(report.lines["CPU"])
    assert {"library", "version", "threading", "kernels"} <= set(report.lines["BLAS"])
    assert {"threads", "kernels", "build"} <= set(report.lines["xgrad"])
    assert report.lines["CPU"]["instruction set"] == BEST
    assert report.lines["xgrad"]["kernels"] == BEST
    if BEST == "avx512_bf16":  # AMX may be refused
        assert report.lines["Measured"]["products in bfloat16"].endswith("by AVX-512 BF16"), report.lines["Measured"]
    assert pathlib.Path(report.lines["BLAS"]["library"]).is_file()
    for label in ["products in float32", "products in float64", "products in bfloat16_3x", "products in bfloat16", "relu in main memory"]:
        assert float(report.lines["Measured"][label].split()[0]) > 0.1, label
    assert report.advice


def advises_to_unset_what_slows_down(program):
    if BEST not in LESSER:
        return
    core = LESSER[BEST]
    report = Report(program, OPENBLAS_CORETYPE=core, XGRAD_ISA="baseline")
    assert "XGRAD_ISA=baseline is set" in report.advice, report.advice
    if report.is_openblas_for_many_cpus():
        assert report.core() == core
        assert f"because OPENBLAS_CORETYPE={core} is set: unset it" in report.advice, report.advice
    assert "is set" not in Report(program).advice


def a_build_for_this_machine_has_one_set(program):
    for other in {"baseline", "avx2", "neon"} - {BEST}:
        result = subprocess.run([program, "--quick"], env=os.environ | {"XGRAD_ISA": other}, capture_output=True, text=True)
        sets = re.search(rf"XGRAD_ISA is `{other}`; set it to (.*), which the library has", result.stderr)
        assert result.returncode != 0 and sets and BEST in sets[1] and other not in sets[1], result


def kernels_are_kept_on_request(program):
    report = Report(program, XGRAD_BLAS_CORE="keep")
    assert "kernels before" not in report.lines["BLAS"]
    assert "XGRAD_BLAS_CORE=keep" in report.lines["BLAS"]["kernels"]


def kernels_are_switched_on_request(program):
    natural = Report(program, XGRAD_BLAS_CORE="keep")
    if BEST not in LESSER or not natural.is_openblas_for_many_cpus():
        return
    for core in {LESSER[BEST], "Prescott"}:
        # Stronger than the other variable.
        report = Report(program, XGRAD_BLAS_CORE=core, OPENBLAS_CORETYPE="Nehalem")
        assert report.core() == core, report.lines["BLAS"]
        assert report.lines["BLAS"]["kernels before"] == "Nehalem"
        assert f"because XGRAD_BLAS_CORE={core} is set: unset it" in report.advice, report.advice


def kernels_that_do_not_exist_are_refused(program):
    natural = Report(program, XGRAD_BLAS_CORE="keep")
    report = Report(program, XGRAD_BLAS_CORE="Abacus")
    assert report.core() == natural.core()
    if natural.is_openblas_for_many_cpus():
        assert "XGRAD_BLAS_CORE=Abacus names kernels that this OpenBLAS does not have" in report.advice, report.advice


def says_where_processors_are_missing(program):
    threads = len(os.sched_getaffinity(0)) + 1
    report = Report(program, XGRAD_THREADS=str(threads))
    assert f"xgrad has {threads} threads" in report.advice, report.advice
    if threads > 2:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        report = Report(program)
        assert "1 allowed by affinity" in report.lines["CPU"]["processors"]
        assert report.lines["xgrad"]["threads"] == "1"
        assert "affinity says so" in report.advice, report.advice


def help_names_every_option(program):
    result = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    assert "--help" in result.stdout and "--quick" in result.stdout


def wrong_arguments_are_one_line_and_code_2(program):
    for arguments in [["--unknown"], ["surplus"], ["--quick=maybe"]]:
        result = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        assert result.returncode == 2, arguments
        assert result.stdout == "" and len(result.stderr.splitlines()) == 1, result.stderr


if __name__ == "__main__":
    globals()[sys.argv[2]](sys.argv[1])
