"""manage.py demo: a generated partner network to look at."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from channel_crm.demo import network, people
from core.commands import JsonCommand
from core.errors import DomainError


class Command(JsonCommand):
    help = (
        "Load a generated network: a maker of cabling and network products with about 150 partners "
        "in all provinces, three years of sales, targets and evaluations, and demo accounts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--until",
            type=date.fromisoformat,
            help="last day of sales, YYYY-MM-DD (default: the end of last month)",
        )
        parser.add_argument(
            "--force", action="store_true", help="add it to a database that has other partners"
        )
        parser.add_argument(
            "--accounts", action="store_true", help="only print the demo accounts that are here"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        """Counts of what is there, `created`, the digest of the facts and the seconds it took."""
        if options["accounts"]:
            return self.print_accounts()
        today = timezone.localdate()
        until = options["until"] or network.default_until(today)
        if until >= today:
            raise DomainError("until_in_future", _("The last day of sales must lie in the past."))
        return network.build(until=until, force=options["force"])

    def print_accounts(self) -> dict[str, Any]:
        """One line an account, then the JSON object."""
        there = people.accounts()
        if there:
            self.stdout.write(f"Demo accounts, password {people.PASSWORD}:")
        for person in there:
            self.stdout.write(f"  {person.username:<10} {person.role.value:<15} {person.does}")
        names = {person.username: person.role.value for person in there}
        return {"accounts": names, "password": people.PASSWORD if there else None}
