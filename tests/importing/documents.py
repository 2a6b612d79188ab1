"""Files for tests: an ODS as small as one can be, and archives."""

import io
import zipfile
from datetime import date, datetime
from xml.sax.saxutils import escape

ODS = "application/vnd.oasis.opendocument.spreadsheet"
_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text")
)
FOOT = (
    '<table:table-row table:number-rows-repeated="1048000">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
)  # as every program ends a sheet


def cell(value, more=""):
    """One cell; `more` are further attributes."""
    if value is None:
        return f"<table:table-cell {more}/>"
    kind, attribute = "string", ""
    if isinstance(value, int | float):
        kind, attribute = "float", f'office:value="{value}"'
    elif isinstance(value, date | datetime):
        kind, attribute = "date", f'office:date-value="{value.isoformat()}"'
    return (
        f'<table:table-cell office:value-type="{kind}" {attribute} {more}>'
        f"<text:p>{escape(str(value))}</text:p></table:table-cell>"
    )


def row(*cells):
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def sheet(*rows, name="Sheet1"):
    return f'<table:table table:name="{name}">{"".join(rows)}{FOOT}</table:table>'


def ods(*sheets, mimetype=ODS, doctype="", manifest="<m/>"):
    """The bytes of an ODS with these sheets."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{doctype}<office:document-content {_SPACES}>'
        f"<office:body><office:spreadsheet>{''.join(sheets)}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    return archive(
        {"mimetype": mimetype, "content.xml": content, "META-INF/manifest.xml": manifest}
    )


def ods_of(rows):
    """The bytes of an ODS of plain values."""
    return ods(sheet(*(row(*(cell(None if v == "" else v) for v in one)) for one in rows)))


def archive(files):
    """The bytes of a ZIP of {name: content}; names may be ZipInfo."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in files.items():
            new.writestr(name, content)
    return out.getvalue()
