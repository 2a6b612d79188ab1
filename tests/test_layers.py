"""The layers hold for foreign keys given as strings too, which no import shows."""

from django.apps import apps
from django.conf import settings

# Top may refer to below. core names the user, which is the project's own choice of one.
LAYERS = ["insights", "performance", "sales", "partners", "catalog", "accounts", "core"]


def references():
    for model in apps.get_models():
        if model._meta.app_label in LAYERS:
            for field in model._meta.get_fields():
                target = getattr(field, "related_model", None)
                if field.concrete and target is not None and target._meta.app_label in LAYERS:
                    yield model, field, target


def goes_up(app, other):
    return LAYERS.index(other) < LAYERS.index(app)


def test_no_foreign_key_points_to_a_higher_layer():
    up = [
        f"{model._meta.label}.{field.name} → {target._meta.label}"
        for model, field, target in references()
        if goes_up(model._meta.app_label, target._meta.app_label)
        and target._meta.label != settings.AUTH_USER_MODEL
    ]
    assert up == []


def test_the_walk_sees_references_and_would_see_one_that_goes_up():
    labels = {(m._meta.label, t._meta.label) for m, _field, t in references()}
    assert ("sales.SalesFact", "partners.Partner") in labels
    assert goes_up("partners", "sales")
    assert not goes_up("sales", "partners")
