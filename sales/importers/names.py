"""What columns are called that several kinds have."""

PARTNER = (
    "partner code",
    "customer",
    "customer code",
    "store",
    "store number",
    "sold-to party",
    "kunnr",
    "kunag",
    "客户",
    "客户编码",
    "客户编号",
    "客户代码",
    "购货单位代码",
    "往来单位编码",
    "经销商",
    "经销商编码",
    "渠道伙伴",
)
