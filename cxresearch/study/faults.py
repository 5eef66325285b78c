"""What is wrong with a study file, in words that say where and what to do."""

import difflib
import re
from collections.abc import Iterable
from functools import partial
from pathlib import PurePath
from typing import NamedTuple

from cxresearch.core.personal import mask

Where = tuple[str | int, ...]  # the steps to an entry of the study file


_RANGE = re.compile(r"(?P<first>(?P<stem>.*?)\d+)\s*(?:\.\.|-|–|~|:|to)\s*(?P=stem)?(?P<last>\d+)")


class Fault(NamedTuple):
    """One fault: where it stands in the study file, and what it is."""

    path: Where
    message: str

    def __str__(self) -> str:
        return mask(f"{spelt(self.path)}: {self.message}" if self.path else self.message)


def spelt(path: Where) -> str:
    """A path as a reader counts: entries of a list from 1.

    >>> spelt(("tickets", "stages", 0, "limit"))
    'tickets.stages[1].limit'
    """
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or ''.

    >>> nearest("WEIGT", ["ID", "WEIGHT"]), nearest("weight", ["WEIGHT"]), nearest("colour", ["ID"])
    ('WEIGHT', 'WEIGHT', '')
    >>> nearest("nothere.csv", ["no_rows.csv"]), nearest("时长", ["时间", "时长（秒）"])
    ('', '时长（秒）')
    """
    ending = PurePath(word).suffix.casefold()  # files that share no more than it are not alike
    folded = {each.casefold().removesuffix(ending): each for each in known}
    stem = word.casefold().removesuffix(ending)
    begun = [name for name in folded if stem and name.startswith(stem)]
    found = difflib.get_close_matches(stem, folded, 1, cutoff=0.6) or (begun if len(begun) == 1 else [])
    return folded[found[0]] if found else ""


def did_you_mean(word: str, *kinds: Iterable[str]) -> str:
    """'; did you mean ...?' or ''; a list or a range in a form that is not ours is recognised.

    Of names of several kinds that are about as near, one of the first kind is meant.

    >>> did_you_mean("spd1, spd2", ["spd1", "spd2"]), did_you_mean("spd1-spd3", ["spd1", "spd2", "spd3"])
    ("; did you mean '[spd1, spd2]'?", "; did you mean 'spd1..spd3'?")
    >>> did_you_mean("sped", ["speed"], ["spd"])
    "; did you mean 'speed'?"
    """
    sets = [list(kind) for kind in kinds]
    known = [name for names in sets for name in names]
    ends = _RANGE.fullmatch(word)
    if ends and ends["first"] in known:
        return f"; did you mean '{ends['first']}..{ends['stem']}{ends['last']}'?"
    listed = [part.strip() for part in re.split("[,，、]", word)]
    if len(listed) > 1 and listed[0] in known:
        return f"; did you mean '[{', '.join(listed)}]'?"
    near = max(filter(None, (nearest(word, names) for names in sets)), key=partial(_closeness, word), default="")
    return f"; did you mean '{near}'?" if near else ""


def _closeness(word: str, name: str) -> float:
    """From 0 to 1, so roughly that hardly a difference counts as none."""
    return round(difflib.SequenceMatcher(None, word.casefold(), name.casefold()).ratio(), 1)
