"""Two commands that fail: one with an error of an exception tree of ours, one by a defect."""

from __future__ import annotations

import click


class OurError(Exception):
    """Stands for any class of the appliance's tree; what counts is the package it is defined in."""

    __module__ = "appliance.failing"


@click.command()
def ours() -> None:
    raise OurError("The disk of this store is full. Make space.")


@click.command()
def defect() -> None:
    _ = 1 // 0
