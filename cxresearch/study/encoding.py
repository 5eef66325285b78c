"""Find out how the text of a file is encoded, and decode it."""

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

from cxresearch.errors import InputError

_MARKS = (  # UTF-32 before UTF-16, whose mark it begins with
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ["gb18030", "cp949", "latin_1"]
_SAMPLE = 200_000  # bytes shown to the detector


def find_encoding(raw: bytes) -> str:
    """Name the encoding of a text: byte order mark, then UTF-16, strict UTF-8, and at last the likeliest of three.

    Trial decoding cannot tell the last three apart (Korean text decodes as GB18030 without an error), so that
    charset-normalizer judges which of them gives a coherent text. It sees the lines with non-ASCII characters only.

    >>> find_encoding("满意度".encode()), find_encoding("满意度".encode("utf-8-sig"))
    ('utf-8', 'utf-8-sig')
    """
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return name
    if b"\0" in raw[:_SAMPLE]:  # no text in UTF-8 holds this byte; an ASCII character in UTF-16 does
        return "utf-16-be" if raw[:_SAMPLE:2].count(0) > raw[1:_SAMPLE:2].count(0) else "utf-16-le"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return _likeliest(raw)
    return "utf-8"


def decode(raw: bytes, path: Path, encoding: str | None = None) -> tuple[str, str]:
    """Decode the bytes of a file; return the text and its encoding.

    Raises
    ------
    InputError
        If `encoding` is unknown, or if the bytes are not text in that encoding.
    """
    name = encoding or find_encoding(raw)
    try:
        text = raw.decode(name)
    except LookupError as error:
        raise InputError(
            "`survey.encoding` must be an encoding that Python knows",
            f"found '{encoding}'",
            "Leave it out, or try utf-8.",
        ) from error
    except UnicodeError as error:
        found = find_encoding(raw) if encoding else "no encoding that fits"
        place = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        raise InputError(
            f"{path.name} must be text in {name}",
            f"found bytes that are none{place}",
            f"Leave `encoding` out: the file looks like {found}." if encoding else "Save the file as UTF-8.",
        ) from error
    return text.removeprefix("\ufeff"), name


def _likeliest(raw: bytes) -> str:
    sample = b"\n".join(line for line in raw.splitlines() if not line.isascii())[:_SAMPLE]
    best = from_bytes(sample, cp_isolation=_CANDIDATES).best()
    if best is None:
        return "latin_1"  # which decodes any byte
    if best.encoding == "cp949" and _has_hanja(sample):
        return "gb18030"
    return best.encoding


def _has_hanja(sample: bytes) -> bool:
    """Whether the sample, read as Korean, mixes in Chinese characters, which Korean of our days hardly does."""
    letters = [letter for letter in sample.decode("cp949", "ignore") if not letter.isascii()]
    return sum("\u4e00" <= letter <= "\u9fff" for letter in letters) > 0.1 * len(letters)
