"""`--help` as plain text: each name whole at any width, brackets as written."""

from typing import Any

from typer.core import TyperCommand


class PlainHelpCommand(TyperCommand):
    """A command whose help lists its parameters by their groups.

    The tables that typer draws with Rich cut long names at 80 columns, and
    take `[rouge]` for markup. It needs `Typer(rich_markup_mode=None)`.
    """

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                kind = f"{parameter.param_type_name.title()}s"
                title = getattr(parameter, "rich_help_panel", None) or kind
                groups.setdefault(title, []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)
