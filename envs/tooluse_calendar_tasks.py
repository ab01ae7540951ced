"""Requests of an office: what it holds, and what may be wished for."""

from __future__ import annotations

from typing import Any

import numpy as np

from reward_synth.envs.tooluse_calendar import TOOLS, Office
from reward_synth.envs.tooluse_tasks import Documents, Domain, Fact, Lookup, Wish
from reward_synth.envs.tooluse_words import names, numbers

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_HOURS = range(8, 18)


def documents(rng: np.random.Generator, size: int) -> Documents:
    """Draw ``size`` teams, meetings and mails."""
    drawn = names(rng, 3 * size)
    teams = {name: f"{name.replace(' ', '.')}@post.example" for name in drawn[:size]}
    addresses = list(teams.values())
    events = {
        number: {
            "title": title,
            "day": _one(rng, _DAYS),
            "hour": _hour(rng),
            "guests": [],
        }
        for number, title in zip(
            numbers(rng, "E", size), drawn[size : 2 * size], strict=True
        )
    }
    mails = {
        number: {"subject": subject, "address": _one(rng, addresses)}
        for number, subject in zip(
            numbers(rng, "M", size), drawn[2 * size :], strict=True
        )
    }
    return {"teams": teams, "events": events, "mails": mails}


def _one(rng: np.random.Generator, items: Any) -> Any:
    return items[int(rng.integers(len(items)))]


def _hour(rng: np.random.Generator) -> int:
    return int(_one(rng, _HOURS))


def _event(rng: np.random.Generator, given: Documents) -> Fact:
    number = _one(rng, list(given["events"]))
    title = Fact("title", given["events"][number]["title"])
    lookup = Lookup("find_event", {"title": title}, "the meeting {title}")
    return Fact("event_id", number, "meeting '{value}'", lookup)


def _mail(rng: np.random.Generator, given: Documents) -> Fact:
    number = _one(rng, list(given["mails"]))
    subject = Fact("subject", given["mails"][number]["subject"])
    lookup = Lookup("find_mail", {"subject": subject}, "the mail {subject}")
    return Fact("mail_id", number, "mail '{value}'", lookup)


def _address(rng: np.random.Generator, given: Documents) -> Fact:
    team = _one(rng, list(given["teams"]))
    lookup = Lookup("find_team", {"team": Fact("team", team)}, "team {team}")
    return Fact("address", given["teams"][team], "'{value}'", lookup)


def _time(rng: np.random.Generator, other_than: str = "") -> dict[str, Fact]:
    day = _one(rng, [item for item in _DAYS if item != other_than])
    return {
        "day": Fact("day", day, "{value}"),
        "hour": Fact("hour", _hour(rng), "{value}"),
    }


def _create(rng: np.random.Generator, given: Documents) -> Wish:
    taken = {event["title"] for event in given["events"].values()}
    title = next(name for name in names(rng, len(taken) + 1) if name not in taken)
    wordings = (
        "Set up a meeting {title} on {day} at {hour} o'clock.",
        "On {day} at {hour} o'clock there shall be a meeting {title}.",
    )
    return Wish("create_event", {"title": Fact("title", title), **_time(rng)}, wordings)


def _move(rng: np.random.Generator, given: Documents) -> Wish:
    event = _event(rng, given)
    time = _time(rng, given["events"][event.value]["day"])
    wordings = (
        "Move {event_id} to {day}, {hour} o'clock.",
        "At {hour} o'clock on {day} is the new time of {event_id}.",
    )
    return Wish("move_event", {"event_id": event, **time}, wordings)


def _cancel(rng: np.random.Generator, given: Documents) -> Wish:
    wordings = ("Cancel {event_id}.", "Call off {event_id}.")
    return Wish("cancel_event", {"event_id": _event(rng, given)}, wordings)


def _invite(rng: np.random.Generator, given: Documents) -> Wish:
    facts = {"event_id": _event(rng, given), "address": _address(rng, given)}
    wordings = ("Invite {address} to {event_id}.", "To {event_id} also ask {address}.")
    return Wish("invite", facts, wordings)


def _send(rng: np.random.Generator, given: Documents) -> Wish:
    facts = {
        "address": _address(rng, given),
        "subject": Fact("subject", names(rng, 1)[0]),
    }
    wordings = ("Write {subject} to {address}.", "Send {address} a mail {subject}.")
    return Wish("send_mail", facts, wordings)


def _forward(rng: np.random.Generator, given: Documents) -> Wish:
    facts = {"mail_id": _mail(rng, given), "address": _address(rng, given)}
    wordings = ("Forward {mail_id} to {address}.", "Let {address} have {mail_id}.")
    return Wish("forward_mail", facts, wordings)


def _delete(rng: np.random.Generator, given: Documents) -> Wish:
    wordings = ("Delete {mail_id}.", "Throw {mail_id} away.")
    return Wish("delete_mail", {"mail_id": _mail(rng, given)}, wordings)


DOMAIN = Domain(
    "calendar",
    "You look after the calendar and the mail of an office.",
    TOOLS,
    documents,
    Office,
    (_create, _move, _cancel, _invite, _send, _forward, _delete),
    ("team", "address", "title", "event_id", "day", "hour", "subject", "mail_id"),
    frozenset({"event_id", "mail_id", "title", "subject", "team"}),
)
