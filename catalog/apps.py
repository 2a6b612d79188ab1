from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        from core.navigation import Item, register

        lines, products = "catalog:productline_list", "catalog:product_list"
        register(
            Item(
                "product_lines",
                _("Product lines"),
                "sitemap",
                lines,
                70,
                "catalog.view_productline",
                3,
            ),
            Item("products", _("Products"), "packages", products, 71, "catalog.view_product", 3),
        )
