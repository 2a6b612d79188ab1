from accounts.models import Territory, User
from core.admin import register

register(Territory, "code", "level", "parent", search=("code", "name"))
register(User, "role", "is_active", "last_login", search=("username", "email"))
