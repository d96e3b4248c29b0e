"""Makes C++ files of the ```cpp blocks of a Markdown document.

    extract_blocks.py count DOCUMENT               prints how many complete programs the document has
    extract_blocks.py extract DOCUMENT FOLDER NAME   writes
        FOLDER/NAME_fragments.cpp          all other blocks, each in a namespace and a function of its own
        FOLDER/NAME_program_<n>.cpp        the n-th block that defines main, as it stands
        FOLDER/NAME_program_<n>.expected   what that program prints, from the block under `<!-- output -->`; else empty

An HTML comment on the lines before a block, which readers do not see, says what the block needs:

    <!-- prelude: Tensor x = ones({2, 3}); -->   statements or declarations to put before it, on one or more lines
    <!-- file scope -->                          it defines functions, types or operations: keep it out of a function
    <!-- output -->                              (before a ```text block) what the program above it prints

The ```cmake block of README.md is tried by tests/install/check_cmake.py.
"""

import pathlib
import re
import sys
import textwrap

BLOCK = re.compile(r"^(?P<indent>[ \t]*)```(?P<language>[^\s`]*)[^\n]*\n(?P<text>.*?)^[ \t]*```[ \t]*$", re.M | re.S)
COMMENTS_BEFORE = re.compile(r"(?:<!--(?:(?!-->).)*-->\s*)+\Z", re.S)
COMMENT = re.compile(r"<!--\s*(.*?)\s*-->", re.S)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b.*$", re.M)

# Blocks show a thing without using it, call a thing what others call something else, and take numbers as they come.
PRELUDE = """\
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <iostream>
#include <nn/nn.hpp>
"""


class Block:
    def __init__(self, document, match):
        comments = COMMENTS_BEFORE.search(document[: match.start()])
        self.marks = COMMENT.findall(comments.group()) if comments else []
        self.language = match["language"]
        self.text = textwrap.dedent(match["text"])
        self.line = document.count("\n", 0, match.start()) + 2
        self.is_program = self.language == "cpp" and re.search(r"\bint main\(", self.text) is not None

    @property
    def prelude(self):
        return "\n".join(mark[len("prelude:") :].strip() for mark in self.marks if mark.startswith("prelude:"))


def read_blocks(path):
    document = path.read_text(encoding="utf-8")
    return [Block(document, match) for match in BLOCK.finditer(document)]


def wrap(path, blocks):
    """One translation unit of all fragments; their includes go to its top."""
    includes = sorted({line.strip() for block in blocks for line in INCLUDE.findall(block.text)})
    parts = [PRELUDE, *[line + "\n" for line in includes], "\nusing namespace xgrad;\n"]
    for number, block in enumerate(blocks, 1):
        body = f'#line {block.line} "{path.name}"\n{INCLUDE.sub("", block.text)}'
        if "file scope" in block.marks:
            parts.append(f"\nnamespace block_{number} {{\n{block.prelude}\n{body}}}\n")
        else:
            parts.append(f"\nnamespace block_{number} {{\nvoid run();\nvoid run() {{\n{block.prelude}\n{body}}}\n}}\n")
    return "".join(parts)


def write_if_changed(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def extract(path, folder, name):
    programs, fragments, expected = [], [], {}
    for block in read_blocks(path):
        if block.is_program:
            programs.append(block)
        elif block.language == "cpp":
            fragments.append(block)
        elif "output" in block.marks:
            expected[len(programs)] = block.text
    write_if_changed(folder / f"{name}_fragments.cpp", wrap(path, fragments))
    for number, program in enumerate(programs, 1):
        source = f'#line {program.line} "{path.name}"\n{program.text}'
        write_if_changed(folder / f"{name}_program_{number}.cpp", source)
        write_if_changed(folder / f"{name}_program_{number}.expected", expected.get(number, ""))


def main():
    command, path = sys.argv[1], pathlib.Path(sys.argv[2])
    if command == "count":
        print(sum(block.is_program for block in read_blocks(path)))
    else:
        extract(path, pathlib.Path(sys.argv[3]), sys.argv[4])


if __name__ == "__main__":
    main()
