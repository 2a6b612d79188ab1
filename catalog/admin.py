from catalog.models import Product, ProductLine
from core.admin import register

register(ProductLine, "code", "role", "parent", search=("code", "name"))
register(Product, "code", "product_line", "list_price", search=("code", "name"))
