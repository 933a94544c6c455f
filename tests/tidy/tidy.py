"""What the layout promises and no compiler checks: includes, sizes, names, pages, schemas.

    /usr/bin/python3 tests/tidy/tidy.py ROOT

Prints every finding as `path:line: what` and exits with 1 if there is one.
"""

import pathlib
import re
import sys

FOLDERS = ("graph", "gpu", "storage", "cache", "operators", "rpc", "deploy", "tests")
# No file and no folder has one of these words in its name: empty ones and abbreviations.
BANNED_WORDS = frozenset(
    """
    util utils common misc helper helpers shared
    arg args attr buf calc cfg cnt conf ctrl ctx cur db desc dev dst elem env err evt fmt fn func
    hdr idx impl info init len lib libs mgr msg num obj param params pkg pos prev proc ptr ref req
    res resp ret src srv str svc sys temp tmp val vals var vars vec
""".split()
)
FILE_LINES = 500
TEST_FILE_LINES = 800
FUNCTION_LINES = 70
COLUMNS = 100
TEXT_SUFFIXES = (".h", ".cc", ".proto", ".pbtxt", ".cmake", ".sh", ".py", ".md")
# Another project's protocol, word for word.
FOREIGN = (pathlib.Path("rpc/grpc/health/v1/health.proto"),)

# Folder -> prefixes of includes of ours that it may have. Its own folder is always among them.
MAY_INCLUDE = {
    "graph": ("weft/graph/",),
    "gpu": ("graph/check.h",),
    "storage": (
        "graph/state.h",
        "graph/time.h",
        "graph/cold_store.h",
        "graph/log_record.h",
        "graph/event_batch.h",
        "graph/check.h",
        "graph/text.h",
    ),
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
    return (
        path.name.endswith(("_test.cc", "_benchmark.cc"))
        or path.parts[0] == "tests"
        or path.name.startswith("test_")
    )


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path.relative_to(root)


def texts(root):
    """Every text of ours, root files and those of docs and cmake as well."""
    paths = list(root.iterdir())
    for folder in (*FOLDERS, "cmake", "docs"):
        paths += (root / folder).rglob("*")
    for path in sorted(paths):
        if path.suffix in TEXT_SUFFIXES or path.name == "CMakeLists.txt":
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
    """A body ends with a lone brace at the depth where its head began (the code is formatted)."""
    begin = None
    for number, line in enumerate(lines, 1):
        stripped = line.rstrip()
        head = re.match(
            r"^(?:  )?[A-Za-z_].*[)a-z] (?:const |override |final |noexcept )*\{$", stripped
        )
        starts_block = stripped.lstrip().startswith(
            ("namespace", "class", "struct", "enum", "union", "extern")
        )
        if head and not starts_block and "=" not in stripped.split("(")[0]:
            begin = (number, len(line) - len(line.lstrip()))
        elif begin and stripped == " " * begin[1] + "}":
            length = number - begin[0] + 1
            if length > FUNCTION_LINES:
                yield begin[0], f"a function of {length} lines, at most {FUNCTION_LINES}"
            begin = None


def check_columns(path, lines):
    """Exempt: tables and code blocks of pages, and what `buf format` does not break."""
    if path in FOREIGN:
        return
    in_code = False
    for number, line in enumerate(lines, 1):
        in_code ^= path.suffix == ".md" and line.startswith("```")
        is_block = path.suffix == ".md" and (in_code or line.startswith(("|", "    ")))
        is_rpc = path.suffix == ".proto" and line.startswith("  rpc ")
        if len(line) > COLUMNS and not is_block and not is_rpc:
            yield number, f"{len(line)} columns, at most {COLUMNS}"


def check_pages(root):
    catalog = root / "operators" / "catalog.inc"
    for number, line in enumerate(catalog.read_text().splitlines(), 1):
        found = re.match(r'WEFT_OPERATOR\("([a-z_0-9]+)", (\w+)::', line)
        if not found:
            continue
        page = root / "operators" / found.group(2) / (found.group(1) + ".md")
        if not page.is_file():
            yield catalog.relative_to(root), number, f"{page.relative_to(root)} is missing"
        elif page.read_text().splitlines()[0] != f"# {found.group(1)}":
            yield page.relative_to(root), 1, f'expected the heading "# {found.group(1)}"'


def messages(proto):
    """The messages of a proto file: name -> [(type, field)]."""
    found = {}
    for head in re.finditer(r"^message (\w+) \{\n(.*?)^\}", proto, re.MULTILINE | re.DOTALL):
        found[head.group(1)] = re.findall(
            r"^  (?:optional |repeated )?([\w.]+) (\w+) = \d+", head.group(2), re.MULTILINE
        )
    return found


def option_fields(known, message):
    for kind, field in known[message]:
        if kind in known:
            yield from (f"{field}.{inner}" for inner in option_fields(known, kind))
        else:
            yield field


def check_options(root):
    """Every option of an operator stands on its page, in backquotes."""
    for family in sorted((root / "operators").iterdir()):
        for proto in sorted(family.rglob("*.proto")):
            known = messages(proto.read_text())
            pages = {page.stem.replace("_", ""): page for page in family.glob("*.md")}
            for message in known:
                page = pages.get(message.lower())
                if page is None:
                    continue
                text = page.read_text()
                for field in option_fields(known, message):
                    if f"`{field}`" not in text:
                        yield page.relative_to(
                            root
                        ), 1, f"the option `{field}` of {message} is not described"


def check_names(root):
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            words = re.split(r"[^a-z0-9]+", path.name.lower().replace("__init__", ""))
            for word in BANNED_WORDS.intersection(words):
                yield path.relative_to(root), 1, f"no file or folder has {word} in its name"


def check_links(root):
    """A newcomer finds every page from README or ARCHITECTURE."""
    entry = "".join((root / name).read_text() for name in ("README.md", "ARCHITECTURE.md"))
    for path in texts(root):
        is_operator = (
            path.parts[0] == "operators"
        )  # found by `weft operators`, checked by check_pages
        if (
            path.suffix == ".md"
            and len(path.parts) > 1
            and not is_operator
            and str(path) not in entry
        ):
            yield path, 1, "neither README.md nor ARCHITECTURE.md names this page"


def check_schemas(root):
    tests = "".join(path.read_text() for path in sorted(root.glob("tests/**/*_test.py")))
    for path in sorted((root / "docs" / "json").glob("*.schema.json")):
        if '"additionalProperties": false' in path.read_text():
            yield path.relative_to(
                root
            ), 1, "later versions add keys: additionalProperties must not be false"
        name = path.name.removesuffix(".schema.json")
        if f'"{name}"' not in tests:
            yield path.relative_to(root), 1, "no test checks output against this schema"


def findings(root):
    for path in sources(root):
        lines = (root / path).read_text(encoding="utf-8").splitlines()
        for check in (check_includes, check_sizes, check_functions):
            for number, what in check(path, lines):
                yield path, number, what
    for path in texts(root):
        for number, what in check_columns(
            path, (root / path).read_text(encoding="utf-8").splitlines()
        ):
            yield path, number, what
    for check in (check_pages, check_options, check_names, check_links, check_schemas):
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
