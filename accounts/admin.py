from accounts.models import ApiCall, ApiClient, Territory, User
from core.admin import register

register(Territory, "code", "level", "parent", search=("code", "name"))
register(User, "role", "is_active", "last_login", search=("username", "email"))
register(ApiClient, "access", "state", "expires_on", "last_used_at", search=("application__name",))
register(ApiCall, "client", "at", "status", "milliseconds", "address", search=("request_id",))
