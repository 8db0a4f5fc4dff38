"""Every command of `regulars`, by name: where it lives and what it is for."""

from __future__ import annotations

from ui.command_table import Place

DAMAGED = (
    "The database in the data folder is damaged. Start Regulars anew (`regulars run`): it sets the file aside and restores the newest "
    "good backup."
)


COMMANDS: dict[str, Place] = {
    "demo": Place("appliance.commands.demo", "demo", "See it work: a demo camera, faces, visits and the page."),
    "run": Place("appliance.commands.run", "run", "Watch the cameras, log visits and serve the store's page."),
    "camera": Place("appliance.commands.camera", "camera", "Add, list, test and remove cameras."),
    "visits": Place("appliance.commands.visits", "visits", "The latest visits, newest first, and why each was decided so."),
    "people": Place("appliance.commands.people", "people", "The people this store can tell apart."),
    "privacy": Place("appliance.commands.privacy", "privacy", "What is stored about people, and what they asked for."),
    "status": Place("appliance.commands.status", "status", "Whether the appliance runs, and what its data folder holds."),
    "pair": Place("appliance.commands.pair", "pair", "Connect this store to its headquarters with a one-time code."),
    "unpair": Place("appliance.commands.pair", "unpair", "Send nothing more to headquarters."),
    "sync": Place("appliance.commands.sync", "sync", "How the line to headquarters does; try it now; new keys."),
    "user": Place("appliance.commands.user", "user", "Who may use the page: list, add, remove; a new password, a lost telephone."),
    "models": Place("appliance.commands.models", "models", "List, pull, verify and evaluate the face models."),
    "backup": Place("appliance.commands.backup", "backup", "Make, list and restore backups of the database."),
    "evaluate": Place("appliance.commands.evaluate", "evaluate", "Run a recorded scenario and compare with the truth."),
    "bench": Place("appliance.commands.bench", "bench", "Measure speed and memory on this machine."),
}


def said_of_damage(error: Exception) -> str | None:
    """sqlite3.DatabaseError itself is raised for a malformed file alone; its children (a constraint, wrong SQL) are defects of ours."""
    return DAMAGED if (type(error).__module__, type(error).__name__) == ("sqlite3", "DatabaseError") else None
