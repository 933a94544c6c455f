"""What the layout promises and no compiler checks: include directions, sizes of files and functions, pages, names.

    /usr/bin/python3 tests/tidy/tidy.py ROOT

Prints every finding as `path:line: what` and exits with 1 if there is one.
"""

import pathlib
import re
import sys

FOLDERS = ("graph", "gpu", "storage", "cache", "operators", "rpc", "deploy", "tests")
BANNED_FOLDERS = ("util", "utils", "common", "misc", "helpers", "shared")
FILE_LINES = 500
TEST_FILE_LINES = 800
FUNCTION_LINES = 70

# Folder -> prefixes of includes of ours that it may have. Its own folder is always among them.
MAY_INCLUDE = {
    "graph": ("weft/graph/",),
    "gpu": ("graph/check.h",),
    "storage": ("graph/state.h", "graph/time.h", "graph/log_record.h", "graph/event_batch.h", "graph/check.h",
                "graph/text.h"),
    "cache": ("gpu/",),
    "operators": ("graph/", "gpu/", "cache/", "weft/operators/", "weft/graph/"),
    "rpc": ("graph/", "storage/", "operators/", "weft/", "grpc/"),
    "deploy": ("graph/", "gpu/", "storage/", "cache/", "operators/", "rpc/", "weft/"),
    "tests": ("",),
}
# Kernels reach nvcc, which must never see absl, protobuf, gRPC or RocksDB.
KERNEL_BANNED = re.compile(r'#include [<"](absl|google|grpc|rocksdb|graph)/')
OURS = re.compile(r'^#include "((?:%s|weft|grpc)/[^"]+)"' % "|".join(FOLDERS))


def is_test(path):
    return path.name.endswith(("_test.cc", "_benchmark.cc")) or path.parts[0] == "tests" or path.name.startswith("test_")


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path.relative_to(root)


def check_includes(path, lines):
    if is_test(path):
        return
    folder = path.parts[0]
    allowed = (folder + "/",) + MAY_INCLUDE[folder]
    for number, line in enumerate(lines, 1):
        found = OURS.match(line)
        if found and not found.group(1).startswith(allowed):
            yield number, f"{folder}/ may not include {found.group(1)}"
        if path.name.endswith(("_kernels.cc", "_kernels.h")) and KERNEL_BANNED.match(line):
            yield number, f"kernels may not include {line.split()[1]}"


def check_sizes(path, lines):
    limit = TEST_FILE_LINES if is_test(path) else FILE_LINES
    if len(lines) > limit:
        yield limit, f"{len(lines)} lines, at most {limit}"


def check_functions(path, lines):
    """A function body ends with a lone brace at the depth where its head began (the code is formatted)."""
    begin = None
    for number, line in enumerate(lines, 1):
        stripped = line.rstrip()
        head = re.match(r"^(?:  )?[A-Za-z_].*[)a-z] (?:const |override |final |noexcept )*\{$", stripped)
        starts_block = stripped.lstrip().startswith(("namespace", "class", "struct", "enum", "union", "extern"))
        if head and not starts_block and "=" not in stripped.split("(")[0]:
            begin = (number, len(line) - len(line.lstrip()))
        elif begin and stripped == " " * begin[1] + "}":
            length = number - begin[0] + 1
            if length > FUNCTION_LINES:
                yield begin[0], f"a function of {length} lines, at most {FUNCTION_LINES}"
            begin = None


def check_pages(root):
    catalog = root / "operators" / "catalog.inc"
    for number, line in enumerate(catalog.read_text().splitlines(), 1):
        found = re.match(r'WEFT_OPERATOR\("([a-z_0-9]+)", (\w+)::', line)
        if found and not (root / "operators" / found.group(2) / (found.group(1) + ".md")).is_file():
            yield catalog.relative_to(root), number, f"operators/{found.group(2)}/{found.group(1)}.md is missing"


def check_folders(root):
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.is_dir() and path.name in BANNED_FOLDERS:
                yield path.relative_to(root), 1, f"no folder is called {path.name}"


def check_schemas(root):
    for path in sorted((root / "docs" / "json").glob("*.schema.json")):
        if '"additionalProperties": false' in path.read_text():
            yield path.relative_to(root), 1, "later versions add keys: additionalProperties must not be false"


def findings(root):
    for path in sources(root):
        lines = (root / path).read_text(encoding="utf-8").splitlines()
        for check in (check_includes, check_sizes, check_functions):
            for number, what in check(path, lines):
                yield path, number, what
    for check in (check_pages, check_folders, check_schemas):
        yield from check(root)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    count = 0
    for path, number, what in findings(root):
        print(f"{path}:{number}: {what}")
        count += 1
    print(f"{count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
