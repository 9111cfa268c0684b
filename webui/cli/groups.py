"""What commands with subcommands share."""

from collections.abc import Callable
from typing import Any

import click

json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="for scripts / 输出 JSON"
)


class Told(click.Group):
    """A group of commands; its failures are told by the root."""
