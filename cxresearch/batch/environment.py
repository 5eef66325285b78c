"""What a kernel finds around it: environment variables and its share of the cores."""

import os
import sysconfig
from pathlib import Path

_THREADS_OF_ALGEBRA = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_THREADS = ("OMP_NUM_THREADS", "NUMEXPR_MAX_THREADS", "POLARS_MAX_THREADS", "LOKY_MAX_CPU_COUNT")


def count_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def kernel_environment(jobs: int) -> dict[str, str]:
    """Environment variables of a kernel when `jobs` of them share the cores; what the user has set stands.

    Linear algebra gets one thread: on stacks of small matrices a second one only waits, which takes as much of a processor as
    work does, and numbers shall not depend on how many notebooks run at a time.

    >>> environment = kernel_environment(jobs=1000)
    >>> environment["OMP_NUM_THREADS"], environment["MKL_NUM_THREADS"]
    ('1', '1')
    """
    share = str(max(1, count_cores() // jobs))
    environment = {name: os.environ.get(name, share) for name in _THREADS}
    wanted = os.environ.get("OMP_NUM_THREADS", "1")
    environment |= {name: os.environ.get(name, wanted) for name in _THREADS_OF_ALGEBRA}
    home = Path(__file__).parents[2]
    if home != Path(sysconfig.get_paths()["purelib"]):  # a source checkout: kernels work in other folders
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(home), os.environ.get("PYTHONPATH", "")]))
    return environment
