"""Small parts of pages."""

from __future__ import annotations

from typing import Any

from django import forms, template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core import navigation, tables
from core.phrases import per_cent

register = template.Library()
_CLASSES = (
    (forms.CheckboxInput, "form-check-input"),
    (forms.RadioSelect, ""),
    (forms.Select, "form-select"),
    (forms.FileInput, "form-control"),
)


@register.simple_tag(takes_context=True)
def side_navigation(context: template.Context) -> SafeString:
    """The entries of the side navigation."""
    return navigation.render(context["user"], context.get("section") or "")


@register.simple_tag
def badge(text: Any, color: str = "secondary") -> SafeString:
    """A coloured badge with its text."""
    return tables.badge(text, color)


@register.filter
def initial(value: Any) -> str:
    """The sign of a name for its round glyph: the first letter that says something."""
    text = str(value).strip()
    return text[:1].upper() if text else "·"


@register.simple_tag
def control(field: forms.BoundField) -> SafeString:
    """The widget of a field in the look, tied to its help and errors."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxSelectMultiple):
        return _checkboxes(field)
    css = next((css for kind, css in _CLASSES if isinstance(widget, kind)), "form-control")
    if field.errors:
        css += " is-invalid"
    attrs: dict[str, Any] = {"class": f"{widget.attrs.get('class', '')} {css}".strip()}
    if isinstance(widget, forms.MultiWidget):
        for part, suffix in zip(widget.widgets, (_("from"), _("until")), strict=False):
            part.attrs |= {"class": css, "aria-label": f"{field.label}: {suffix}"}
            if isinstance(part, forms.DateInput | forms.TextInput) and _takes_dates(field):
                part.input_type = "date"
    described = [f"{field.auto_id}_help"] if field.help_text else []
    described += [f"{field.auto_id}_error"] if field.errors else []
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if isinstance(widget, forms.DateInput) and widget.input_type == "text":
        widget.input_type, widget.format = "date", "%Y-%m-%d"
    return field.as_widget(attrs=attrs)


def _checkboxes(field: forms.BoundField) -> SafeString:
    return format_html(
        '<div class="choices" role="group" aria-labelledby="{}_label">{}</div>',
        field.auto_id,
        format_html_join(
            "",
            '<label class="form-check">{} <span class="form-check-label">{}</span></label>',
            ((_with_class(box), box.choice_label) for box in field.subwidgets),
        ),
    )


def _with_class(box: Any) -> SafeString:
    box.data["attrs"]["class"] = "form-check-input"
    return box.tag()


@register.filter
def is_choices(field: forms.BoundField) -> bool:
    """Whether the field is a group of boxes, which has a label of its own kind."""
    return isinstance(field.field.widget, forms.CheckboxSelectMultiple)


def _takes_dates(field: forms.BoundField) -> bool:
    parts = getattr(field.field, "fields", ())
    return bool(parts) and all(isinstance(part, forms.DateField) for part in parts)


@register.filter
def is_checkbox(field: forms.BoundField) -> bool:
    """Whether the label belongs behind the field."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def share(part: Any, whole: Any) -> str:
    """`part` of `whole` in percent, 0 to 100, for the width of a bar."""
    try:
        return f"{max(0, min(100, float(part) / float(whole) * 100)):.1f}"
    except (TypeError, ValueError, ZeroDivisionError):
        return "0"


@register.simple_tag
def bar(percent: Any, label: Any = "") -> SafeString:
    """A thin bar with its share in words."""
    width = min(100.0, max(0.0, float(percent or 0)))
    words = conditional_escape(label or per_cent(f"{width:.0f}"))
    return mark_safe(
        f'<svg class="bar" role="img" aria-label="{words}" viewBox="0 0 100 6" '
        f'preserveAspectRatio="none"><rect width="{width:.1f}" height="6"/></svg>'
    )
