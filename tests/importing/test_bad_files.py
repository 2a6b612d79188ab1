"""Files that are no good: each says so in one sentence, and nothing goes in."""

import gzip
import os
import signal
import subprocess
import sys
import threading
import zipfile

import pytest
from django.conf import settings
from django.db import connection, connections

from core.errors import DomainError
from core.importing import readers
from sales.models import SalesDaily, SalesFact
from tests import factories as make
from tests.importing.conftest import reasons
from tests.importing.test_load_sales import GOOD, HEAD, counts, workbook


@pytest.mark.parametrize(
    "content, error, message",
    [
        (b"", "empty_file", "The file is empty."),
        (b"\n\n", "empty_file", "The first row has no column names."),
        (bytes(range(256)) * 20, "not_text", "This is not a text file. Export it as CSV or XLSX."),
        (
            b"\x89PNG\r\n\x1a\n" + bytes(200),
            "not_text",
            "This is not a text file. Export it as CSV or XLSX.",
        ),
        (
            b"\xd0\xcf\x11\xe0" + bytes(600),
            "damaged_file",
            "The file is damaged or is no workbook.",
        ),
        (b"PK\x03\x04" + bytes(600), "damaged_file", "The file is damaged or is no workbook."),
        (
            gzip.compress(GOOD.encode() * 9)[:-20],
            "damaged_file",
            "The file is damaged or was not sent whole.",
        ),
        (
            HEAD.encode() + b"R1,\xff\xfe\xff,A-1,2026-01-05,1,5\n",
            "unknown_encoding",
            "The text is neither UTF-8 nor GB18030. Save it as UTF-8, or say its encoding.",
        ),
        (
            (",".join(f"c{i}" for i in range(501)) + "\n").encode(),
            "too_many_columns",
            "The file has 501 columns; at most 500 can be read.",
        ),
        (
            (",".join(f"c{i}" for i in range(1_000_000)) + "\n").encode(),
            "too_many_columns",
            "The file has more than 500 columns; at most 500 can be read.",
        ),
        (b"a,b\n1,2\n", "missing_field", None),
        (b"amount,amount\n1,2\n", "missing_field", None),
    ],
)
def test_no_good(load, network, content, error, message):
    result = load("sales", content, fails=True)
    assert result["error"] == error
    assert message is None or result["message"] == message
    assert SalesFact.objects.count() == 0


def test_header_only_is_no_failure(load, network):
    assert counts(load("sales", HEAD)) == (0, 0, 0, 0, 0)
    assert counts(load("partners", "code,name,territory\n")) == (0, 0, 0, 0, 0)


def test_a_field_or_kind_that_is_not_there(load, network):
    assert load("sales", GOOD, "--set", "colour=red", fails=True)["error"] == "unknown_field"
    assert load("stamps", GOOD, fails=True)["error"] == "unknown_kind"
    assert load("sales", GOOD, "--by", "nobody", fails=True)["error"] == "no_user"
    assert load("sales", GOOD, "--encoding", "klingon", fails=True)["error"] == "unknown_encoding"


def test_nul_bytes_and_marks_do_not_reach_the_books(load, network):
    text = HEAD + "R\x001,P-1,A-1,2026-01-05,1,5\nR2\u200b,\u202eP-1,A-1,2026-01-05,1,5\n"
    assert counts(load("sales", text)) == (2, 2, 0, 0, 0)
    assert set(SalesFact.objects.values_list("reference", flat=True)) == {"R1", "R2"}


def test_a_reference_that_is_too_long(load, network):
    result = load("sales", HEAD + "R" * 101 + ",P-1,A-1,2026-01-05,1,5\n")
    assert reasons(result)[0][1] == "reference"


def test_a_workbook_with_a_cell_in_the_far_corner(load, network, tmp_path):
    source = tmp_path / "plain.xlsx"
    source.write_bytes(workbook([["a", "b"]]))
    for address, error in (("XFD1048576", "too_many_columns"), ("CV1048576", "too_large")):
        target = tmp_path / "far.xlsx"
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
            for item in old.infolist():
                data = old.read(item)
                if item.filename.endswith("sheet1.xml"):
                    far = f'<row r="1048576"><c r="{address}"><v>1</v></c></row></sheetData>'
                    data = data.replace(b"</sheetData>", far.encode())
                new.writestr(item, data)
        with pytest.raises(DomainError) as caught:
            readers.open_table(target)
        assert caught.value.code == error


def test_a_large_file_streams(tmp_path, db, network, load):
    """Rows are never held: 40 MB go through the slow reader in little memory."""
    import tracemalloc

    path = tmp_path / "big.csv"
    with path.open("w", encoding="utf-16") as stream:
        stream.write(HEAD)
        for number in range(300_000):
            stream.write(f"R{number},P-1,A-1,2026-01-05,1,5.25 \n")
    table = readers.open_table(path)
    tracemalloc.start()
    assert sum(1 for _row in table.rows()) == 300_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 1024**2


@pytest.mark.django_db(transaction=True)
def test_two_loads_at_the_same_moment_load_once(tmp_path):
    make.make_partner(code="P-1")
    make.make_product(code="A-1")
    path = tmp_path / "sales.csv"
    path.write_text(HEAD + "".join(f"R{i},P-1,A-1,2026-01-05,1,5\n" for i in range(3000)))
    found, barrier = [], threading.Barrier(2)

    def run():
        from core.importing import engine
        from core.importing.models import Import

        try:
            barrier.wait()
            row = Import(kind="sales", file_name="sales.csv")
            result = engine.run(path, row, engine.Options(), by=None, error_path=tmp_path / "e.csv")
            found.append((result.outcome.created, result.outcome.unchanged))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(0, 3000), (3000, 0)]
    assert SalesFact.objects.count() == 3000
    assert SalesDaily.objects.get().lines == 3000


def in_a_process(script):
    """Run Python beside us on the database of the test."""
    url, name = settings.DATABASES["default"], connection.settings_dict["NAME"]
    place = f"{url['USER']}:{url['PASSWORD']}@{url['HOST']}:{url['PORT']}/{name}"
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{place}",
        "DJANGO_SETTINGS_MODULE": "channel_crm.settings",
        "DEBUG": "1",
    }
    command = [sys.executable, "-c", f"import django; django.setup()\n{script}"]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


MEASURED = """
import resource, sys
from pathlib import Path
from core.importing import engine
from core.importing.models import Import
def load(path):
    row = Import(kind="sales", file_name="x")
    made = engine.run(path, row, engine.Options(), by=None, error_path=Path(str(path) + ".errors"))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(made.outcome.created, made.outcome.rejected, used)
load(Path({small!r}))
load(Path({large!r}))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_sixty_megabytes_need_no_more_memory_than_one(tmp_path, encoding):
    make.make_partner(code="P-1")
    make.make_product(code="A-1")
    # Long rows, as the memory follows bytes and the time follows rows. A third of them is refused.
    paths, note = {}, "备注" * 300
    for name, rows in (("small", 1_000), ("large", 60_000)):
        path = tmp_path / name
        paths[name] = str(path)
        with path.open("w", encoding=encoding) as stream:
            stream.write(HEAD.strip() + ",note\n")
            for i in range(rows):
                partner = "P-1" if i % 3 else "P-2"
                stream.write(f"{name}{i},{partner},A-1,2026-01-05,1,5,{note}\n")
    done = in_a_process(MEASURED.format(**paths))
    assert done.returncode == 0, done.stderr
    (_small, _refused, before), (created, refused, after) = (
        map(int, line.split()) for line in done.stdout.splitlines()
    )
    assert (created, refused) == (40_000, 20_000)
    assert after - before < 24, f"{before} MB, then {after} MB"


@pytest.mark.django_db(transaction=True)
def test_a_killed_loader_writes_nothing_and_the_next_one_works(tmp_path):
    make.make_partner(code="P-1")
    make.make_product(code="A-1")
    path = tmp_path / "sales.csv"
    path.write_text(HEAD + "".join(f"R{i},P-1,A-1,2026-01-05,1,5\n" for i in range(20_000)))
    script = (
        "import os, signal; from pathlib import Path;"
        "from sales.loading.load import FactLoad; write = FactLoad.write;"
        "FactLoad.write = lambda self: (write(self), os.kill(os.getpid(), signal.SIGKILL));"
        "from core.importing import engine; from core.importing.models import Import;"
        f"engine.run(Path({str(path)!r}), Import(kind='sales', file_name='x'), engine.Options(),"
        f" by=None, error_path=Path({str(tmp_path / 'e.csv')!r}))"
    )
    killed = in_a_process(script)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (SalesFact.objects.count(), SalesDaily.objects.count()) == (0, 0)

    from core.importing import engine
    from core.importing.models import Import

    row = Import(kind="sales", file_name="sales.csv")
    result = engine.run(path, row, engine.Options(), by=None, error_path=tmp_path / "e.csv")
    assert result.outcome.created == 20_000
    assert SalesDaily.objects.get().lines == 20_000


def test_only_what_lacks_its_fields_is_a_total(load, network):
    """A line with mistakes is none, even where it says Total: that may be a name."""
    head = HEAD.replace("\n", ",brand\n")
    rows = "R1,P-9,A-1,yesterday,1,5,Total\nR2,P-1,A-1,2026-01-05,1,5,Total\n合计,,,,2,10,\n"
    result = load("sales", head + rows)
    assert counts(result) == (2, 1, 0, 0, 1)
    assert [reason[:2] for reason in reasons(result)] == [(2, "partner"), (2, "occurred_on")]
    make.make_territory("North", code="N")
    text = "code,name,territory,level\nP-7,Total,X,none such\n合计,,,\n"
    result = load("partners", text)
    assert counts(result) == (1, 0, 0, 0, 1)
    assert [reason[:2] for reason in reasons(result)] == [(2, "territory"), (2, "level")]
