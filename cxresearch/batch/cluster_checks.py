"""Whether the machines of a cluster can do the work of this one: the same Python, the same cxresearch."""

from collections.abc import Callable, Mapping
from typing import Any

import distributed

from cxresearch import __version__
from cxresearch.batch.freshness import key_of_software
from cxresearch.errors import InputError, name_some


def check_cluster(client: distributed.Client) -> None:
    """Refuse a cluster whose numbers might be others.

    Raises
    ------
    InputError
        If it has no worker, or if its scheduler or a worker has another Python or another cxresearch.
    """
    versions = client.get_versions()
    if not versions["workers"]:
        raise InputError(
            "the cluster must have workers", f"{client.scheduler.address} has none", "Start some with `dask worker`."
        )
    own = _python(versions["client"])
    pythons = {place: _python(said) for place, said in _everywhere(versions["scheduler"], versions["workers"]).items()}
    _refuse({place: f"Python {found}" for place, found in pythons.items() if found != own}, f"Python {own}")
    probe = _probe()
    sources = _everywhere(_asked(client.run_on_scheduler, probe), client.run(probe, on_error="return"))
    wanted = key_of_software()["cxresearch"]
    other = {place: _told(found) for place, found in sources.items() if found != wanted}
    _refuse(other, f"cxresearch {__version__} with this machine's source")


def _refuse(others: Mapping[str, str], wanted: str) -> None:
    if others:
        raise InputError(
            f"scheduler and workers must have {wanted}",
            f"found {name_some(f'{what} at {place}' for place, what in others.items())}",
            "Install the same environment there.",
        )


def _everywhere(scheduler: Any, workers: Mapping[str, Any]) -> dict[str, Any]:
    return {"the scheduler": scheduler, **workers}


def _python(versions: Mapping[str, Any]) -> str:
    """Major and minor version: bytecode, and so what is sent about, differs between these."""
    return ".".join(versions["host"]["python"].split(".")[:2])


def _asked(run: Callable[..., Any], probe: Callable[[], str]) -> Any:
    try:
        return run(probe)
    except Exception as error:
        return error


def _told(found: Any) -> str:
    return "no cxresearch" if isinstance(found, ImportError) else "another cxresearch"


def _probe() -> Callable[[], str]:
    """A function that asks for a machine's cxresearch; one inside another is sent whole, so that it runs where there is none."""

    def software() -> str:
        from cxresearch.batch.freshness import key_of_software

        return str(key_of_software()["cxresearch"])

    return software
