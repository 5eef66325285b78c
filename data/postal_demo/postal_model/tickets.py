"""SYNTHETIC: complaints: more of them where the latent drivers are low, slower where efficiency and assurance are low."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from postal_model import parameters as p
from postal_model.customers import Panel, say_booleans
from postal_model.operations import BranchMonths
from postal_model.people import Branches
from postal_model.ticket_kinds import CAUSES, CHANNELS, KINDS, REMEDIES

EXPECTED_TICKETS = 7300  # were all drivers at 0
DRIVER_SLOPE = -0.9  # log rate of a type on its driver
NAMED_CUSTOMER = 0.75  # of tickets; others come from customers outside the table
COMPLAINER_SHAPE, COMPLAINER_SLOPE = 0.5, -0.5  # gamma shape of the propensity; log propensity on satisfaction
AS_OF = np.datetime64("2026-07-01T00:00")

REGISTER = (0.12, 0.9)  # hours after opening: median, sd of the log
ASSIGN = (1.4, 0.9)  # after registering
RESPOND = (1.0, 0.9, -0.4)  # after opening; and slope of the log on efficiency
HANDLE = (30.0, 0.85, -0.45)  # after assigning; and slope of the log on the mean of efficiency and assurance
CLAIMS_DESK = -0.35  # what the programme's claims desk adds to the log of the handling time, when fully at work
REPLY = (7.0, 0.8)  # after handling
CLOSE = (16.0, 0.9)  # after the reply, unless the reply closes it
CLOSED_BY_REPLY = 0.35
STUCK = 0.02  # never handled
CONTACTS = (0.15, 0.22)  # mean of further contacts: level, slope on the log of days
ESCALATION = (-3.6, 0.9)  # logit on the log of days
RESOLVED = (2.3, -0.25, 0.5)  # logit: level, log of days, quality
ASKED_AGAIN = 0.6  # of closed tickets whether satisfied
SATISFIED = (1.6, -0.75, 0.7, -2.0)  # logit: level, log of days, quality, not resolved
COST = (np.log(45.0), 0.8)  # of a refund or compensation
TEXT_SHARE = 0.5
HOURS_OF_DAY = np.array([1, 1, 1, 1, 1, 1, 2, 4, 8, 10, 11, 10, 8, 8, 9, 10, 9, 8, 7, 7, 7, 6, 4, 2], float)


@dataclass(frozen=True, slots=True)
class Cases:
    """What each ticket is about, (n,) each: number of its branch-month, kind, opening time, customer (0 = not in the table)."""

    row: np.ndarray
    kind: np.ndarray
    opened: np.ndarray
    customer: np.ndarray


def draw_cases(rng: np.random.Generator, months: BranchMonths, panel: Panel) -> Cases:
    """Poisson numbers of each kind, branch and month, in order of time."""
    rate = np.column_stack([kind.share * np.exp(DRIVER_SLOPE * months.of(kind.driver)) for kind in KINDS])
    counts = rng.poisson(EXPECTED_TICKETS / months.parcels.sum() * months.parcels[:, None] * rate)
    row, kind = (np.repeat(where.ravel(), counts.ravel()) for where in np.indices(counts.shape))
    opened = _opening_times(rng, months.month[row])
    order = np.argsort(opened, kind="stable")
    customer = _complainers(rng, months.branch[row], panel)
    return Cases(row[order], kind[order], opened[order], customer[order])


def count_complaints(cases: Cases, months: BranchMonths) -> np.ndarray:
    """Tickets of each branch and month, (576,)."""
    return np.bincount(cases.row, minlength=len(months.branch))


def simulate_tickets(rng: np.random.Generator, branches: Branches, months: BranchMonths, cases: Cases) -> pd.DataFrame:
    """One row a ticket; what comes after the extract is blank."""
    n, branch = len(cases.row), months.branch[cases.row]
    times = _draw_times(rng, branches, months, cases)
    closed = times["closed_at"] < AS_OF
    days = (times["closed_at"] - cases.opened) / np.timedelta64(1, "D")
    known = {name: np.where(when < AS_OF, when.astype(str), "") for name, when in times.items()}
    shown = {name: np.char.replace(when, "T", " ") for name, when in known.items()}
    outcome = _draw_outcome(rng, months.of("quality")[cases.row], cases.kind, np.log1p(days), closed)
    table = {
        "ticket": [f"T{number + 1:05d}" for number in range(n)],
        "customer": [f"C{number:05d}" if number else "" for number in cases.customer],
        "company": np.array(p.COMPANIES)[branches.company[branch]],
        "region": np.array(p.REGIONS)[branches.region[branch]],
        "branch": branches.codes[branch],
        "channel": rng.choice(list(CHANNELS), n, p=list(CHANNELS.values())),
        **_draw_kind_words(rng, cases.kind),
        **shown,
        "contacts": 1 + rng.poisson(CONTACTS[0] + CONTACTS[1] * np.log1p(days)),
        **outcome,
        "text": _draw_texts(rng, cases.kind),
    }
    return say_booleans(pd.DataFrame(table))


def _opening_times(rng: np.random.Generator, month: np.ndarray) -> np.ndarray:
    starts = np.array([*p.MONTHS, "2026-07"], "datetime64[M]").astype("datetime64[D]")
    day = np.floor(rng.random(len(month)) * np.diff(starts).astype(int)[month]).astype(int)
    hour = rng.choice(24, len(month), p=HOURS_OF_DAY / HOURS_OF_DAY.sum())
    minutes = hour * 60 + rng.integers(60, size=len(month))
    return (starts[month] + day).astype("datetime64[m]") + minutes


def _complainers(rng: np.random.Generator, branch: np.ndarray, panel: Panel) -> np.ndarray:
    """A customer of the branch for most tickets, the unhappy more often; 0 for the rest."""
    propensity = rng.gamma(COMPLAINER_SHAPE, size=len(panel.branch)) * np.exp(COMPLAINER_SLOPE * panel.satisfaction)
    customer = np.zeros(len(branch), int)
    for number in np.unique(branch):
        rows, members = np.flatnonzero(branch == number), np.flatnonzero(panel.branch == number)
        weights = propensity[members] / propensity[members].sum()
        customer[rows] = rng.choice(members, len(rows), p=weights) + 1
    return np.where(rng.random(len(branch)) < NAMED_CUSTOMER, customer, 0)


def _draw_times(
    rng: np.random.Generator, branches: Branches, months: BranchMonths, cases: Cases
) -> dict[str, np.ndarray]:
    n, opened = len(cases.row), cases.opened
    efficiency, assurance = months.of("efficiency")[cases.row], months.of("assurance")[cases.row]
    desk = p.PROGRAMME_RAMP[months.quarter[cases.row]] * CLAIMS_DESK
    desk *= branches.company[months.branch[cases.row]] == p.COMPANIES.index(p.PROGRAMME_COMPANY)
    slowness = np.log(np.array([kind.slowness for kind in KINDS]))[cases.kind]
    received = opened + _after(rng, n, *REGISTER)
    assigned = received + _after(rng, n, *ASSIGN)
    pace = HANDLE[2] * (efficiency + assurance) / 2 + slowness + desk
    handled = assigned + _after(rng, n, HANDLE[0] * np.exp(pace), HANDLE[1])
    handled[rng.random(n) < STUCK] += np.timedelta64(2000, "D")
    replied = handled + _after(rng, n, *REPLY)
    responded = np.minimum(opened + _after(rng, n, RESPOND[0] * np.exp(RESPOND[2] * efficiency), RESPOND[1]), replied)
    closed = replied + _after(rng, n, *CLOSE) * (rng.random(n) >= CLOSED_BY_REPLY)
    hours = (closed - opened) / np.timedelta64(1, "h")
    escalates = rng.random(n) < 1 / (
        1 + np.exp(-ESCALATION[0] - ESCALATION[1] * np.log1p(np.minimum(hours, 2000) / 24))
    )
    wait = (np.minimum(hours, 2000) * rng.uniform(0.3, 0.9, n) * 60).astype("timedelta64[m]")
    return {
        "opened_at": opened,
        "received_at": received,
        "responded_at": responded,
        "handled_at": handled,
        "replied_at": replied,
        "closed_at": closed,
        "escalated_at": np.where(escalates, opened + wait, np.datetime64("2099-01-01T00:00")),
    }


def _after(rng: np.random.Generator, n: int, median: float | np.ndarray, spread: float) -> np.ndarray:
    """Lognormal hours as whole minutes."""
    return (median * np.exp(rng.normal(0, spread, n)) * 60).astype("timedelta64[m]")


def _draw_kind_words(rng: np.random.Generator, kind: np.ndarray) -> dict[str, list[str]]:
    """Type, subtype, cause and department."""
    pick = rng.integers(12, size=len(kind))  # 12 is a multiple of every number of subtypes
    causes = np.array([KINDS[number].causes for number in range(len(KINDS))])
    cause = (rng.random((len(kind), 1)) > causes[kind].cumsum(axis=1)[:, :-1]).sum(axis=1)
    return {
        "type": [KINDS[k].name for k in kind],
        "subtype": [KINDS[k].subtypes[choice % len(KINDS[k].subtypes)] for k, choice in zip(kind, pick, strict=True)],
        "cause": [CAUSES[number] for number in cause],
        "department": [KINDS[k].department for k in kind],
    }


def _draw_outcome(
    rng: np.random.Generator, quality: np.ndarray, kind: np.ndarray, log_days: np.ndarray, closed: np.ndarray
) -> dict[str, np.ndarray]:
    """Valid, resolved, satisfied, remedy and cost; blank while the ticket is open, satisfied also where nobody asked."""
    n = len(kind)
    valid = rng.random(n) < np.array([entry.valid for entry in KINDS])[kind]
    resolved = _happens(rng, RESOLVED[0] + RESOLVED[1] * log_days + RESOLVED[2] * quality)
    mood = SATISFIED[0] + SATISFIED[1] * log_days + SATISFIED[2] * quality + SATISFIED[3] * ~resolved
    satisfied, asked = _happens(rng, mood), rng.random(n) < ASKED_AGAIN
    choice = rng.random(n)
    options = [REMEDIES[KINDS[k].remedies] for k in kind]
    remedy = np.array([option[int(c * len(option))] for option, c in zip(options, choice, strict=True)])
    remedy = np.where(valid, remedy, "explanation")
    paid = np.isin(remedy, ["refund", "compensation"])
    cost = np.where(paid, np.rint(np.exp(rng.normal(*COST, n))), 0).astype(int)
    blank = np.where(closed, "true", "")
    return {
        "valid": valid,
        "resolved": np.where(closed & ~resolved, "false", blank),
        "satisfied": np.where(closed & asked, np.where(satisfied, "true", "false"), ""),
        "remedy": np.where(closed, remedy, ""),
        "cost": np.where(closed, cost.astype(str), ""),
    }


def _happens(rng: np.random.Generator, logit: np.ndarray) -> np.ndarray:
    return rng.random(len(logit)) < 1 / (1 + np.exp(-logit))


def _draw_texts(rng: np.random.Generator, kind: np.ndarray) -> list[str]:
    speaks, language = rng.random(len(kind)) < TEXT_SHARE, rng.integers(2, size=len(kind))
    choice = rng.integers(12, size=len(kind))
    sentences = [KINDS[k].texts[spoken] for k, spoken in zip(kind, language, strict=True)]
    return [some[c % len(some)] if says else "" for some, c, says in zip(sentences, choice, speaks, strict=True)]
