"""Translations without GNU gettext: find the messages, keep the .po files, compile and check them.

    tools/messages.py update            bring locale/*/LC_MESSAGES/*.po up to date with the sources
    tools/messages.py merge FILE.tsv…   fill in translations: msgid TAB msgstr [TAB context]
    tools/messages.py compile           write the .mo files that Django reads
    tools/messages.py check             fail on what is missing, fuzzy, unused or badly filled in

The files are sorted by message and carry no line numbers, so that a diff shows translations only.
"""

import argparse
import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
LANGUAGES = {"zh_Hans": "nplurals=1; plural=0;"}
SKIPPED = {
    "tests",
    "tools",
    "bench",
    "docs",
    "var",
    "locale",
    "node_modules",
    "migrations",
    "vendor",
}


class Message(NamedTuple):
    """What a translator translates once: the same words in another context are another message."""

    context: str | None
    singular: str
    plural: str | None = None


# Which arguments of a gettext function are what.
ONE, TWO = ("singular",), ("singular", "plural")
CONTEXT_ONE, CONTEXT_TWO = ("context", *ONE), ("context", *TWO)
FUNCTIONS = {
    "_": ONE, "gettext": ONE, "gettext_lazy": ONE, "gettext_noop": ONE,
    "ngettext": TWO, "ngettext_lazy": TWO,
    "pgettext": CONTEXT_ONE, "pgettext_lazy": CONTEXT_ONE,
    "npgettext": CONTEXT_TWO, "npgettext_lazy": CONTEXT_TWO,
}  # fmt: skip
LITERAL = r"""u?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
CALL = re.compile(rf"(?<![\w.])(\w+)\(\s*({LITERAL}(?:\s*,\s*{LITERAL})*)\s*[,)]")
# By name alone: how a number is padded may differ, "%(month)02d" in English and "%(month)d" here.
PLACEHOLDER = re.compile(r"%\(\w+\)(?=[\d.]*[sdf])|%[sd]|\{\w*\}")


class BadSource(Exception):
    """A call that no translator can ever see, because its words are put together at run time."""


def files(*suffixes: str) -> Iterator[Path]:
    """Our own source files, in a fixed order."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and name[0] != ".")
        yield from (Path(folder, name) for name in sorted(names) if Path(name).suffix in suffixes)


def from_python(path: Path) -> Iterator[Message]:
    """Messages of the gettext calls in a Python file; a call on a bare variable has none."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
        roles = FUNCTIONS.get(name or "")
        if not roles or len(node.args) < len(roles):
            continue
        words = node.args[: len(roles)]
        if any(isinstance(word, ast.JoinedStr | ast.BinOp) for word in words):
            raise BadSource(f"{path}:{node.lineno}: {name}() needs one plain string")
        values = [word.value for word in words if isinstance(word, ast.Constant)]
        if len(values) == len(roles) and all(isinstance(value, str) for value in values):
            yield message(roles, values)


def from_calls(text: str) -> Iterator[Message]:
    """Messages of calls with literal arguments: scripts, and what templatize makes of templates."""
    for found in CALL.finditer(text):
        roles = FUNCTIONS.get(found[1])
        values = [ast.literal_eval(word) for word in re.findall(LITERAL, found[2])]
        if roles and len(values) >= len(roles):
            yield message(roles, values)


def message(roles: tuple[str, ...], values: list) -> Message:
    named = dict(zip(roles, values, strict=False))
    return Message(named.get("context"), named["singular"], named.get("plural"))


def collect() -> dict[str, set[Message]]:
    """All messages by domain: `django` for pages and Python, `djangojs` for scripts."""
    from django.utils.translation.template import templatize

    found: dict[str, set[Message]] = {"django": set(), "djangojs": set()}
    for path in files(".py"):
        found["django"].update(from_python(path))
    for path in files(".html", ".txt"):
        if "templates" in path.parts:
            found["django"].update(from_calls(templatize(path.read_text(), origin=str(path))))
    for path in files(".js"):
        found["djangojs"].update(from_calls(path.read_text()))
    return {domain: one_plural(messages) for domain, messages in found.items()}


def one_plural(messages: set[Message]) -> set[Message]:
    """gettext knows a message by context and singular: a plural form takes its singular in."""
    chosen: dict[tuple[str | None, str], Message] = {}
    for item in sorted(messages, key=lambda item: item.plural or ""):
        chosen[item.context, item.singular] = item
    return set(chosen.values())


def po_path(language: str, domain: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def key(entry: polib.POEntry) -> Message:
    return Message(entry.msgctxt, entry.msgid, entry.msgid_plural or None)


def merged(old: polib.POFile, messages: set[Message], plural_forms: str) -> polib.POFile:
    """A catalogue of exactly these messages with the translations we have."""
    known = {(entry.msgctxt, entry.msgid): entry for entry in old if not entry.obsolete}
    fresh = polib.POFile(wrapwidth=100)
    fresh.metadata = {
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": plural_forms,
    }
    for item in sorted(messages, key=lambda item: (item.singular, item.context or "")):
        before = known.get((item.context, item.singular))
        fresh.append(entry_for(item, translation(before) if before else "", before))
    return fresh


def translation(entry: polib.POEntry) -> str:
    return entry.msgstr or (entry.msgstr_plural or {}).get(0, "")


def entry_for(item: Message, words: str, before: polib.POEntry | None = None) -> polib.POEntry:
    entry = polib.POEntry(msgctxt=item.context, msgid=item.singular)
    if before:
        entry.tcomment, entry.flags = before.tcomment, before.flags
    if item.plural is None:
        entry.msgstr = words
    else:
        entry.msgid_plural, entry.msgstr_plural = item.plural, {0: words}
    return entry


def read(path: Path) -> polib.POFile:
    return polib.pofile(str(path), wrapwidth=100) if path.exists() else polib.POFile(wrapwidth=100)


def update() -> int:
    for domain, messages in collect().items():
        for language, plural_forms in LANGUAGES.items():
            path = po_path(language, domain)
            if messages or path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                fresh = merged(read(path), messages, plural_forms)
                fresh.save(str(path))
                missing = sum(not translation(entry) for entry in fresh)
                print(f"{path.relative_to(ROOT)}: {len(fresh)} messages, {missing} to translate")
    return 0


def merge(tables: list[Path], language: str) -> int:
    """Take translations over from tab-separated files; the sources say which messages there are."""
    words = {}
    for table in tables:
        for line in table.read_text().splitlines():
            cells = [cell.replace("\\n", "\n").replace("\\t", "\t") for cell in line.split("\t")]
            if len(cells) >= 2 and cells[1]:
                words[cells[2] if len(cells) > 2 and cells[2] else None, cells[0]] = cells[1]
    for domain in collect():
        path = po_path(language, domain)
        catalogue = read(path)
        for entry in catalogue:
            new = words.get((entry.msgctxt, entry.msgid))
            if new and entry.msgid_plural:
                entry.msgstr_plural = {0: new}
            elif new:
                entry.msgstr = new
        if path.exists():
            catalogue.save(str(path))
    return update()


def compile_all() -> int:
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        target = path.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < path.stat().st_mtime:
            polib.pofile(str(path)).save_as_mofile(str(target))
    return 0


def problems(path: Path, messages: set[Message]) -> Iterator[str]:
    """What is wrong with a catalogue, a line each."""
    entries = {key(entry): entry for entry in read(path) if not entry.obsolete}
    for item in sorted(messages - entries.keys(), key=str):
        yield f"missing: {item.singular!r} (run tools/messages.py update)"
    for item in sorted(entries.keys() - messages, key=str):
        yield f"unused: {item.singular!r} (run tools/messages.py update)"
    for item, entry in entries.items():
        words = translation(entry)
        wanted = set(PLACEHOLDER.findall(item.plural or item.singular))
        if not words:
            yield f"not translated: {item.singular!r}"
        elif "fuzzy" in entry.flags:
            yield f"fuzzy: {item.singular!r}"
        elif set(PLACEHOLDER.findall(words)) != wanted:
            yield f"other placeholders: {item.singular!r} → {words!r}"


def check() -> int:
    lines = []
    for domain, messages in collect().items():
        for language in LANGUAGES:
            path = po_path(language, domain)
            if messages or path.exists():
                lines += [f"{path.relative_to(ROOT)}: {line}" for line in problems(path, messages)]
    print("\n".join(lines) or "Every message is translated.")
    return 1 if lines else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("update", "compile", "check"):
        commands.add_parser(name)
    merging = commands.add_parser("merge")
    merging.add_argument("tables", nargs="+", type=Path)
    merging.add_argument("--language", default="zh_Hans", choices=LANGUAGES)
    options = parser.parse_args()
    try:
        if options.command == "merge":
            return merge(options.tables, options.language)
        return {"update": update, "compile": compile_all, "check": check}[options.command]()
    except BadSource as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
