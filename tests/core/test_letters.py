"""The shape of letters and the way to their page."""

from core import letters


def test_blocks_are_parted_by_empty_lines():
    letter = letters.write("ann@example.com", "Hello", "Dear Ann,", "", ["- one", "- two"])
    assert (letter.to, letter.subject) == (["ann@example.com"], "Hello")
    assert letter.body == "Dear Ann,\n\n- one\n- two"


def test_the_page_is_named_and_linked_where_the_address_is_known(settings):
    settings.SITE_URL = ""
    assert letters.place("See Appeals.", "/appeals/1/") == "See Appeals."
    settings.SITE_URL = "https://crm.example.com"
    linked = letters.place("See Appeals.", "/appeals/1/")
    assert linked == "See Appeals.\nhttps://crm.example.com/appeals/1/"
