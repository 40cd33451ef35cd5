"""Independent tasks in parallel: in threads or processes on this computer, or on a Dask or Ray cluster, by joblib.

Tasks read and write files by path, so all machines of a cluster need the same folders (data, cache, output) under the
same paths, and scenelet with the same packages. A task runs no parallel tasks itself, and TensorFlow uses one thread in
a task's process. The results are therefore bit-identical for any number of tasks at a time, on any machine.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import joblib
from joblib.externals.loky.process_executor import BrokenProcessPool
from joblib.parallel import get_active_backend

from ..errors import InputError, SceneletError, ToolError
from . import processes
from .extras import missing

_LOCAL = {"LokyBackend", "MultiprocessingBackend", "SequentialBackend", "ThreadingBackend"}
_CONNECT_SECONDS = 30
_WATCH_SECONDS = 1.0


def on_cluster() -> bool:
    """Whether an enclosing `joblib.parallel_config` sends tasks to other machines."""
    return type(get_active_backend()[0]).__name__ not in _LOCAL


def workers(jobs: int) -> int:
    """Tasks that run at a time: the cluster's processors if there is one, else ``jobs``; below 1, all processors."""
    return int(joblib.effective_n_jobs(-1 if on_cluster() or jobs < 1 else jobs))


def uses_processes(jobs: int) -> bool:
    """Whether tasks of :func:`spread` run in processes of their own."""
    return on_cluster() or workers(jobs) > 1


def spread(
    function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], jobs: int, *, threads: bool = False
) -> Iterator[Any]:
    """Call a function with each tuple of arguments, several at a time.

    Parameters
    ----------
    function
        A function at module level, which other processes can import.
    tasks
        Tuples of positional arguments.
    jobs
        Tasks at a time; see :func:`workers`. With 1 and no cluster they run in this process, one after the other.
    threads
        Use threads of this process, or the worker processes of a cluster themselves. For work that releases Python's
        interpreter lock and depends on no state of its process.

    Yields
    ------
    Any
        Results in the order of the tasks. The first task that fails raises its error here.

    Raises
    ------
    ToolError
        A worker was killed, or could not run a task.
    """
    if not uses_processes(jobs):
        yield from (function(*task) for task in tasks)
        return
    local = not on_cluster()
    kind: dict[str, Any] = {"prefer": "threads" if threads else "processes"} if local else {}
    backend, _ = get_active_backend(**kind)
    return_as = "generator" if backend.supports_return_generator else "list"
    parallel = joblib.Parallel(n_jobs=workers(jobs), return_as=return_as, **kind)
    name = f"{function.__module__}.{function.__name__}"
    if local or threads:
        parent = os.getpid() if local and not threads else 0
        try:
            yield from parallel(joblib.delayed(_run_sequential)(parent, function, task) for task in tasks)
        except BrokenProcessPool:
            remedy = "run it again, finished work is kept; fewer --jobs take less memory"
            raise ToolError(name, "lost a worker process, killed or out of memory", remedy) from None
    else:
        sent = ((name, pickle.dumps((function, task))) for task in tasks)
        yield from map(pickle.loads, parallel(joblib.delayed(_run_in_child)(*one) for one in sent))


def _run_sequential(parent: int, function: Callable[..., Any], task: tuple[Any, ...]) -> Any:
    """Run one task without parallel tasks inside it; in a child process, exit when the parent dies."""
    if parent:
        _exit_with(parent)
    with joblib.parallel_config("sequential"):
        return function(*task)


def _run_in_child(name: str, pickled_task: bytes) -> bytes:
    """Run one pickled task in a fresh child process of a cluster's worker; return the pickled result.

    The worker process itself is unfit: its threads draw from Python's random numbers between a network's seed and its
    weights, and an earlier task has fixed TensorFlow's thread count. The worker unpickles neither task nor result,
    since that would import TensorFlow into it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        task, output = Path(scratch) / "task", Path(scratch) / "result"
        task.write_bytes(pickled_task)
        code = f"from scenelet.core.parallel import child; child({os.getpid()}, {str(task)!r}, {str(output)!r})"
        done = subprocess.run([sys.executable, "-c", code], check=False, stderr=subprocess.PIPE, text=True)
        if not output.is_file():
            reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise ToolError(name, f"failed on a worker ({reason})", "run it again, finished work is kept")
        error, result = pickle.loads(output.read_bytes())
    if error:
        raise error
    return bytes(result)


def child(parent: int, task_file: str, output_file: str) -> None:
    """Run the task in one file and write its result, or its SceneletError, to another; exit when ``parent`` dies."""
    function, task = pickle.loads(Path(task_file).read_bytes())
    error: SceneletError | None = None
    result = b""
    try:
        result = pickle.dumps(_run_sequential(parent, function, task))
    except SceneletError as failure:
        error = failure
    Path(output_file).write_bytes(pickle.dumps((error, result)))


def _exit_with(parent: int) -> None:
    """Exit this process when its parent has been killed; the next run repeats the work."""
    name = "scenelet-parent-watch"
    if os.getpid() == parent:  # joblib is configured to use threads
        return
    if os.getppid() != parent:
        os._exit(1)
    if all(thread.name != name for thread in threading.enumerate()):
        threading.Thread(target=_watch, args=(parent,), name=name, daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Send the tasks of :func:`spread` inside the block to a cluster; None keeps them here.

    Parameters
    ----------
    address
        "dask://HOST:PORT" of a Dask scheduler, or "ray://HOST:PORT" of a Ray head node's port (6379); for Ray, this
        computer must belong to the cluster.

    Raises
    ------
    InputError
        The address is malformed, or Dask's workers have more than one thread.
    ToolError
        The package is not installed, or nothing answers at the address.
    """
    if address is None:
        yield
        return
    kind, _, place = address.partition("://")
    if kind not in _JOIN or not place:
        raise InputError(f"cluster '{address}'", "is not an address", "write dask://HOST:PORT or ray://HOST:PORT")
    with _JOIN[kind](address, place) as settings, joblib.parallel_config(n_jobs=-1, **settings):
        yield


def _no_answer(address: str, error: Exception, remedy: str) -> ToolError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ToolError(f"cluster {address}", f"cannot be reached ({reason})", remedy)


@contextlib.contextmanager
def _dask(address: str, place: str) -> Iterator[dict[str, Any]]:
    try:
        from distributed import Client
    except ImportError:
        raise missing("dask", "dask") from None
    try:
        client = Client(f"tcp://{place}", timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise _no_answer(address, error, "start one with `dask scheduler` and `dask worker --nthreads 1`") from None
    with client:
        threads = client.nthreads().values()
        if not threads:
            raise ToolError(f"cluster {address}", "has no worker", f"start one: dask worker {place} --nthreads 1")
        if max(threads) > 1:
            # Every task is single-threaded and has its own front end: one task per processor.
            raise InputError(f"cluster {address}", "has workers with several threads", "start them with --nthreads 1")
        yield {"backend": "dask", "client": client}


@contextlib.contextmanager
def _ray(address: str, place: str) -> Iterator[dict[str, Any]]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise missing("ray", "ray") from None
    try:
        with processes.same_handlers():
            ray.init(address=place, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise _no_answer(address, error, "start one with `ray start --head`, and join this machine to it") from None
    try:
        register_ray()
        yield {"backend": "ray", "max_nbytes": None}  # arrays by value: another machine lacks this one's scratch files
    finally:
        ray.shutdown()


_JOIN = {"dask": _dask, "ray": _ray}
