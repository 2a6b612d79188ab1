from django.apps import AppConfig


class ChannelCrmConfig(AppConfig):
    name = "channel_crm"

    def ready(self) -> None:
        # Here and not in __init__: the supervisor is of this package, too, and needs no Celery.
        from channel_crm import celery  # noqa: F401  binds shared tasks to our application
