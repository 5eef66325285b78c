"""No personal data in executed notebooks: masked in what cells have shown, printed or raised."""

import re
from typing import TYPE_CHECKING

from cxresearch.core.personal import mask

if TYPE_CHECKING:
    from nbformat import NotebookNode

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


def mask_outputs(notebook: "NotebookNode") -> None:
    """Mask personal data in every text that the cells of an executed notebook have left, in place; images stay as they are."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for name in ("text", "evalue"):
                if name in output:
                    output[name] = mask(output[name])
            if "traceback" in output:
                output["traceback"] = [_mask_coloured(line) for line in output["traceback"]]
            for kind, shown in output.get("data", {}).items():
                if kind.startswith("text/") and isinstance(shown, str):
                    output["data"][kind] = mask(shown)


def _mask_coloured(line: str) -> str:
    """Piece by piece, as a colour code right before a number would hide it."""
    return "".join(part if _COLOUR.fullmatch(part) else mask(part) for part in _COLOUR.split(line))
