"""No function of one instruction set can stand in for another's:  check_symbols.py LIBRARY LIBRARY ...

The linker keeps one copy of an inline function that several objects define, whichever instructions it was compiled to.
So the libraries of the instruction sets must not define any symbol in common, nor one that belongs to nobody in
particular, such as an instance of a standard template.
"""

import collections
import re
import subprocess
import sys

MERGED_BY_THE_LINKER = "WVu"
DEFINED = "TDBRWVu"


def main():
    definitions = collections.defaultdict(set)
    strays = set()
    for library in sys.argv[1:]:
        name = re.sub(r".*_(\w+)\.a$", r"\1", library)
        listing = subprocess.run(["nm", "--defined-only", "-C", library], check=True, capture_output=True, text=True)
        for line in listing.stdout.splitlines():
            match = re.match(r"[0-9a-f]+ (\w) (.*)", line)
            if match and match[1] in DEFINED:
                definitions[match[2]].add(name)
                own = f"kernels::{name}::" in match[2] or f"xsimd_{name}" in match[2]
                if match[1] in MERGED_BY_THE_LINKER and not own:
                    strays.add(match[2])
    shared = {symbol for symbol, names in definitions.items() if len(names) > 1}
    for symbol in sorted(shared | strays):
        print(f"{symbol} is defined in {', '.join(sorted(definitions[symbol]))}")
    if not definitions:
        print("no symbols found")
    return 1 if shared or strays or not definitions else 0


if __name__ == "__main__":
    sys.exit(main())
