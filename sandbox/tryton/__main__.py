"""`python -m sandbox.tryton`: run the ERP, prepare its environment, or make a sale in it.

    python -m sandbox.tryton --port P --data DIR --venv VENV [--seed FILE] [--parties N] [--sales M]
    python -m sandbox.tryton prepare --venv VENV
    python -m sandbox.tryton sale --data DIR --party CODE --amount 300 [--paid]

Running prints one line of JSON on stdout when the ERP is ready, progress on stderr, and stays in
the foreground as the parent of trytond. It ends when it is told to or when its own parent ends.
"""

import argparse
import json
import os
import signal
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

from sandbox.tryton import desk
from sandbox.tryton.customers import SeedError
from sandbox.tryton.install import Environment, InstallError
from sandbox.tryton.instance import Instance, prepare
from sandbox.tryton.progress import Progress
from sandbox.tryton.rpc import TrytonError
from sandbox.tryton.server import ServerError, die_with_parent
from sandbox.tryton.single import OccupiedError


def main() -> int:
    arguments = sys.argv[1:]
    commands = {"prepare": prepare_command, "sale": sale_command}
    try:
        if arguments and arguments[0] in commands:
            return commands[arguments[0]](arguments[1:])
        return run_command(arguments)
    except (InstallError, ServerError, SeedError, TrytonError, LookupError, OSError) as error:
        print(f"sandbox.tryton: {error}", file=sys.stderr)
        return 1


def run_command(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.tryton")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port and keeps it")
    parser.add_argument("--data", type=Path, required=True, help="folder of this ERP's database")
    parser.add_argument("--venv", type=Path, required=True, help="environment to install into")
    parser.add_argument("--seed", type=Path, help="JSON file with customers")
    parser.add_argument("--parties", type=_count, default=0, help="made-up customers to have")
    parser.add_argument("--sales", type=_count, default=0, help="how many customers have an order")
    options = parser.parse_args(arguments)
    stop_with_parent()
    instance = Instance(options.data, Environment(options.venv), Progress())
    try:
        with instance.alone():
            return _serve(instance, options)
    except OccupiedError:
        print(f"sandbox.tryton: another ERP already runs on {options.data}.", file=sys.stderr)
        return 1


def _serve(instance: Instance, options: argparse.Namespace) -> int:
    server = instance.open(options.port)
    try:
        instance.fill(seed_file=options.seed, parties=options.parties, sales=options.sales)
        print(json.dumps(instance.facts), flush=True)
        server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.stop()
    print(f"sandbox.tryton: trytond ended by itself; see {server.log}", file=sys.stderr)
    return 1


def stop_with_parent() -> None:
    """SIGTERM, Ctrl-C and the parent's end all lead to one tidy way out."""

    def leave(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    parent = os.getppid()
    die_with_parent()
    if os.getppid() != parent:
        raise KeyboardInterrupt


def prepare_command(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.tryton prepare")
    parser.add_argument("--venv", type=Path, required=True)
    options = parser.parse_args(arguments)
    prepare(Environment(options.venv), Progress())
    return 0


def sale_command(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.tryton sale")
    parser.add_argument("--data", type=Path, required=True)
    party = parser.add_mutually_exclusive_group(required=True)
    party.add_argument("--party", help="the customer's code")
    party.add_argument("--party-id", type=int)
    parser.add_argument("--amount", type=_amount, required=True, help="worth, before tax")
    parser.add_argument("--quantity", type=_amount, default=Decimal(1))
    parser.add_argument("--product", default="WIDGET", help="product code; created if unknown")
    parser.add_argument("--reference", default="", help="the customer's own order number")
    parser.add_argument("--paid", action="store_true", help="settle the invoice as well")
    options = parser.parse_args(arguments)
    sold = desk.make_sale(
        options.data,
        party=options.party_id or options.party,
        amount=options.amount,
        quantity=options.quantity,
        product=options.product,
        reference=options.reference,
        paid=options.paid,
    )
    print(json.dumps(sold.as_json(), ensure_ascii=False))
    return 0


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text} is not a number") from None
    if not amount.is_finite() or amount <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return amount


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
