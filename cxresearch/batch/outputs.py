"""Which destination a path or URL of outputs names."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from cxresearch.batch.destination import Destination
from cxresearch.batch.remote_outputs import RemoteOutputs
from cxresearch.study.urls import Place, near


@contextmanager
def destination(place: Place) -> Iterator[Destination]:
    """The destination of a run; for a URL it works in a folder aside, removed where nothing is left in it."""
    place = near(place)
    if isinstance(place, Path):
        yield Destination(place)
        return
    with RemoteOutputs(Path(mkdtemp(prefix="cxresearch-")), place) as outputs:
        try:
            yield outputs
        finally:
            if outputs.left is None:
                shutil.rmtree(outputs.folder, ignore_errors=True)
