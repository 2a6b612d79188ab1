"""tools/messages.py: what it finds, what it keeps, what it complains about."""

import importlib.util

import polib
import pytest
from django.utils.translation.template import templatize

from channel_crm.local import ROOT

spec = importlib.util.spec_from_file_location("messages", ROOT / "tools" / "messages.py")
messages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(messages)
Message = messages.Message


def found_in_python(tmp_path, source):
    path = tmp_path / "source.py"
    path.write_text(source)
    return set(messages.from_python(path))


def test_python_calls_are_found(tmp_path):
    source = """
_("One")
gettext_lazy("Two " "parts")
pgettext("month", "May")
ngettext("%(n)s row", "%(n)s rows", n)
npgettext_lazy("bed", "a leaf", "leaves", n)
translation.gettext_noop("Dotted")
_(variable)
other("no")
"""
    assert found_in_python(tmp_path, source) == {
        Message(None, "One"),
        Message(None, "Two parts"),
        Message("month", "May"),
        Message(None, "%(n)s row", "%(n)s rows"),
        Message("bed", "a leaf", "leaves"),
        Message(None, "Dotted"),
    }


@pytest.mark.parametrize("source", ['_(f"{n} rows")', '_("a" + name)'])
def test_words_put_together_at_run_time_are_refused(tmp_path, source):
    with pytest.raises(messages.BadSource, match="source.py:1"):
        found_in_python(tmp_path, source)


def test_template_tags_are_found():
    source = """
{% translate "It's" %} {% translate "May" context "month" %} {{ _("Constant") }}
{% include "x.html" with title=_("Argument") %}
{% blocktranslate trimmed with name=partner.name %}
    Score of
    {{ name }}
{% endblocktranslate %}
{% blocktranslate count n=rows|length %}{{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}
"""
    assert set(messages.from_calls(templatize(source))) == {
        Message(None, "It's"),
        Message("month", "May"),
        Message(None, "Constant"),
        Message(None, "Argument"),
        Message(None, "Score of %(name)s"),
        Message(None, "%(n)s row", "%(n)s rows"),
    }


def test_script_calls_are_found():
    source = 'x = gettext("Saved"); ngettext(\'%s row\', "%s rows", n); notgettext("no")'
    assert set(messages.from_calls(source)) == {
        Message(None, "Saved"),
        Message(None, "%s row", "%s rows"),
    }


def catalogue(path, **translations):
    file = polib.POFile()
    file.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    for msgid, msgstr in translations.items():
        file.append(polib.POEntry(msgid=msgid, msgstr=msgstr))
    file.save(str(path))
    return path


def test_an_update_keeps_translations_and_drops_what_is_gone(tmp_path):
    old = polib.pofile(str(catalogue(tmp_path / "django.po", Kept="留", Gone="去")))
    wanted = {Message(None, "Kept"), Message(None, "New"), Message(None, "row", "rows")}
    fresh = messages.merged(old, wanted, "nplurals=1; plural=0;")
    assert [(entry.msgid, messages.translation(entry)) for entry in fresh] == [
        ("Kept", "留"),
        ("New", ""),
        ("row", ""),
    ]


def test_the_check_names_every_fault(tmp_path):
    path = catalogue(
        tmp_path / "django.po",
        **{"Good %(n)02d": "好 %(n)d", "Empty": "", "Lost {name}": "丢", "Old": "旧"},
    )
    wanted = {Message(None, text) for text in ("Good %(n)02d", "Empty", "Lost {name}", "New")}
    assert sorted(line.partition(" (")[0] for line in messages.problems(path, wanted)) == [
        "missing: 'New'",
        "not translated: 'Empty'",
        "other placeholders: 'Lost {name}' → '丢'",
        "unused: 'Old'",
    ]


def test_a_compiled_catalogue_is_what_gettext_reads(tmp_path):
    import gettext

    path = catalogue(tmp_path / "django.po", Partner="伙伴")
    polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))
    with path.with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Partner") == "伙伴"
