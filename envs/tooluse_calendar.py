"""Calendar and mail of an office: teams, meetings, a mailbox."""
# ruff: noqa: D417 - the world is no argument of a tool

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Literal

from reward_synth.envs.tooluse_functions import ToolError, ToolFunction
from reward_synth.envs.tooluse_tasks import Documents

Day = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]


class Office:
    """What the tools act on; held in memory.

    Args:
        documents: Teams with their addresses, meetings, mails.
    """

    def __init__(self, documents: Documents) -> None:
        self.teams: Mapping[str, str] = dict(documents["teams"])
        self.events: dict[str, dict[str, Any]] = deepcopy(dict(documents["events"]))
        self.mails: dict[str, dict[str, Any]] = deepcopy(dict(documents["mails"]))
        self.sent: list[list[str]] = []
        self.made = 0
        """Meetings that were made, those cancelled since included."""

    def state(self) -> Mapping[str, Any]:
        """Return meetings, mails, and what was sent; numbers of meetings do not count."""
        events = [
            [e["title"], e["day"], e["hour"], sorted(e["guests"])]
            for e in self.events.values()
        ]
        mails = sorted(self.mails)
        return {"events": sorted(events), "mails": mails, "sent": sorted(self.sent)}

    def close(self) -> None:
        """Hold nothing."""

    def event(self, event_id: str) -> dict[str, Any]:
        """Return a meeting by its number."""
        if event_id not in self.events:
            raise ToolError("There is no meeting of this number.")
        return self.events[event_id]

    def checked(self, address: str) -> str:
        """Return an address that somebody has."""
        if address not in self.teams.values():
            raise ToolError("Nobody has this address.")
        return address


def find_team(office: Office, team: str) -> dict[str, str]:
    """Look up the mail address of a team.

    Args:
        team: Name of the team.
    """
    if team not in office.teams:
        raise ToolError("There is no such team.")
    return {"address": office.teams[team]}


def find_event(office: Office, title: str) -> dict[str, Any]:
    """Look up a meeting by its title.

    Args:
        title: The whole title.
    """
    for event_id, event in office.events.items():
        if event["title"] == title:
            return {"event_id": event_id, "day": event["day"], "hour": event["hour"]}
    raise ToolError("There is no meeting of this title.")


def find_mail(office: Office, subject: str) -> dict[str, str]:
    """Look up a mail by its subject.

    Args:
        subject: The whole subject.
    """
    for mail_id, mail in office.mails.items():
        if mail["subject"] == subject:
            return {"mail_id": mail_id, "address": mail["address"]}
    raise ToolError("There is no mail of this subject.")


def list_day(office: Office, day: Day) -> dict[str, Any]:
    """List the meetings of a day.

    Args:
        day: The day of the week.
    """
    found = [e for e in office.events.values() if e["day"] == day]
    return {"meetings": [[e["hour"], e["title"]] for e in found]}


def create_event(office: Office, title: str, day: Day, hour: int) -> str:
    """Put a new meeting into the calendar.

    Args:
        title: Its title.
        day: The day of the week.
        hour: Full hour at which it begins, 0 to 23.
    """
    office.made += 1
    event_id = f"N{office.made}"
    office.events[event_id] = {"title": title, "day": day, "hour": hour, "guests": []}
    return f"created: {title} on {day} at {hour}"


def move_event(office: Office, event_id: str, day: Day, hour: int) -> str:
    """Move a meeting to another time.

    Args:
        event_id: Number of the meeting.
        day: The new day of the week.
        hour: Full hour at which it begins, 0 to 23.
    """
    office.event(event_id).update(day=day, hour=hour)
    return f"moved: {event_id} to {day} at {hour}"


def cancel_event(office: Office, event_id: str) -> str:
    """Take a meeting out of the calendar.

    Args:
        event_id: Number of the meeting.
    """
    office.event(event_id)
    del office.events[event_id]
    return f"cancelled: {event_id}"


def invite(office: Office, event_id: str, address: str) -> str:
    """Invite somebody to a meeting.

    Args:
        event_id: Number of the meeting.
        address: Mail address of the guest.
    """
    office.event(event_id)["guests"].append(office.checked(address))
    return f"invited to {event_id}: {address}"


def send_mail(office: Office, address: str, subject: str) -> str:
    """Send a mail that has a subject only.

    Args:
        address: Where it goes.
        subject: What it says.
    """
    office.sent.append([office.checked(address), subject])
    return f"sent to {address}: {subject}"


def forward_mail(office: Office, mail_id: str, address: str) -> str:
    """Forward a mail.

    Args:
        mail_id: Number of the mail.
        address: Where it goes.
    """
    if mail_id not in office.mails:
        raise ToolError("There is no mail of this number.")
    office.sent.append([office.checked(address), office.mails[mail_id]["subject"]])
    return f"forwarded to {address}: {mail_id}"


def delete_mail(office: Office, mail_id: str) -> str:
    """Delete a mail.

    Args:
        mail_id: Number of the mail.
    """
    if mail_id not in office.mails:
        raise ToolError("There is no mail of this number.")
    del office.mails[mail_id]
    return f"deleted: {mail_id}"


_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    find_team,
    find_event,
    find_mail,
    list_day,
    create_event,
    move_event,
    cancel_event,
    invite,
    send_mail,
    forward_mail,
    delete_mail,
)
TOOLS = tuple(map(ToolFunction.of, _FUNCTIONS))
