"""The web server of `make run`: prepares, then serves, in one process.

Loading Django takes longer than everything else in a start, so it is done once.
"""

from django.db import connections
from gunicorn.app.wsgiapp import run

from channel_crm import prepare


def main() -> None:
    """Bring everything up to date, then become gunicorn, which reads the command line."""
    prepare.main()
    connections.close_all()  # the workers split off now and must not share one
    run()


if __name__ == "__main__":
    main()
