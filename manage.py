#!/usr/bin/env python
"""Run a management command against this checkout's database."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "channel_crm.settings")
    # A command is not the web server: it may use this machine's own secret key (see settings).
    os.environ.setdefault("LOCAL", "1")
    from channel_crm import local

    local.ensure()
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if "--traceback" in sys.argv:
            raise
        reason = str(error).strip().partition("\n")[0]
        sys.exit(f"error: The database cannot be used: {reason} Start it, or mend DATABASE_URL.")


if __name__ == "__main__":
    main()
