"""Who can sign in to the demo."""

import click

PASSWORD = "demo-only-password"  # noqa: S105  printed on purpose; the demo holds invented people only
SIGN_INS = [
    ("rexdale.admin", "the office of Rexdale centre", "/"),
    ("rexdale.evaluator", "releases for evaluators", "/"),
    ("rexdale.crisis", "the crisis team's board", "/"),
    ("w01 … w12", "outreach workers, on the phone", "/app/"),
    ("jane.admin", "another centre, which sees nothing of Rexdale", "/"),
]


def greet() -> None:
    """Print how to sign in."""
    click.echo("Demo sign-ins (invented data; never use this password for real):")
    for name, what, where in SIGN_INS:
        click.echo(f"  {name:20} {PASSWORD}   {what}, at {where}")
