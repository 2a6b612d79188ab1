from core.admin import register
from partners.models import Contact, Level, Membership, Partner, Site

register(Level, "code", "rank")
register(Partner, "code", "state", "territory", "owner", search=("code", "name"))
register(Contact, "partner", "role", search=("name", "phone"))
register(Site, "partner", "kind", search=("name",))
register(Membership, "partner", "include_sub_partners")
