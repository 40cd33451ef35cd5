"""Independent tasks, several at a time: in threads or processes here, or on a Dask or Ray cluster, by joblib.

A task gets files by their paths and leaves its result in files, so a cluster's machines need the same folders (data,
cache, output) under the same paths, and scenelet with the same packages. A task is never split again, and in a process
of its own TensorFlow uses one thread: how many tasks run beside each other, and where, does not change a bit.
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

_LOCAL = {"LokyBackend", "MultiprocessingBackend", "SequentialBackend", "ThreadingBackend"}
_CONNECT_SECONDS = 30
_WATCH_SECONDS = 1.0


def on_cluster() -> bool:
    """Whether a `joblib.parallel_config` around the call sends tasks to other machines."""
    return type(get_active_backend()[0]).__name__ not in _LOCAL


def workers(jobs: int) -> int:
    """Tasks that run at a time: the cluster's processors where there is one, else ``jobs``; below 1, all processors."""
    return int(joblib.effective_n_jobs(-1 if on_cluster() or jobs < 1 else jobs))


def uses_processes(jobs: int) -> bool:
    """Whether tasks of :func:`spread` run in processes of their own."""
    return on_cluster() or workers(jobs) > 1


def spread(
    function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], jobs: int, *, threads: bool = False
) -> Iterator[Any]:
    """Call a function with each tuple of arguments.

    Parameters
    ----------
    function
        Of a module, so that another process finds it.
    jobs
        Tasks at a time; see :func:`workers`. With 1 and no cluster they run here, one after the other.
    threads
        Use threads of this process where there is no cluster, and a cluster's own processes where there is: for work
        outside Python's lock that depends on nothing a process has.

    Yields
    ------
    Any
        Results in the order of the tasks. The first task that fails raises its error here.

    Raises
    ------
    ToolError
        Where a worker was killed, or could not carry out a task.
    """
    if not uses_processes(jobs):
        yield from (function(*task) for task in tasks)
        return
    local = not on_cluster()
    kind: dict[str, Any] = {"prefer": "threads" if threads else "processes"} if local else {}
    backend, _ = get_active_backend(**kind)
    as_they_come = "generator" if backend.supports_return_generator else "list"
    deal = joblib.Parallel(n_jobs=workers(jobs), return_as=as_they_come, **kind)
    name = f"{function.__module__}.{function.__name__}"
    if local or threads:
        watched = os.getpid() if local and not threads else 0
        try:
            yield from deal(joblib.delayed(_alone)(watched, function, task) for task in tasks)
        except BrokenProcessPool:
            remedy = "run it again: what is finished is found; with fewer --jobs it takes less memory"
            raise ToolError(name, "lost a worker process, killed or out of memory", remedy) from None
    else:
        sent = ((name, pickle.dumps((function, task))) for task in tasks)
        yield from map(pickle.loads, deal(joblib.delayed(_in_child)(*one) for one in sent))


def _alone(parent: int, function: Callable[..., Any], task: tuple[Any, ...]) -> Any:
    """Run one task, which is not split again; as a child process, end with the parent."""
    if parent:
        _end_with(parent)
    with joblib.parallel_config("sequential"):
        return function(*task)


def _in_child(name: str, asked: bytes) -> bytes:
    """Run one pickled task in a fresh process of a cluster's worker; its result, pickled.

    The worker's own threads draw from Python's random numbers between a network's seed and its weights, and tasks that
    it had before have settled TensorFlow's threads. The worker opens neither task nor result, for that would import the
    task's modules: TensorFlow, once more for nothing.
    """
    with tempfile.TemporaryDirectory() as scratch:
        task, answer = Path(scratch) / "task", Path(scratch) / "result"
        task.write_bytes(asked)
        code = f"from scenelet.core.parallel import child; child({os.getpid()}, {str(task)!r}, {str(answer)!r})"
        done = subprocess.run([sys.executable, "-c", code], check=False, stderr=subprocess.PIPE, text=True)
        if not answer.is_file():
            told = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise ToolError(name, f"failed on a worker ({told})", "try again")
        error, result = pickle.loads(answer.read_bytes())
    if error:
        raise error
    return bytes(result)


def child(parent: int, asked: str, answer: str) -> None:
    """Run the task of one file, and leave its result or its deliberate error in another; end with ``parent``."""
    function, task = pickle.loads(Path(asked).read_bytes())
    error: SceneletError | None = None
    result = b""
    try:
        result = pickle.dumps(_alone(parent, function, task))
    except SceneletError as failure:
        error = failure
    Path(answer).write_bytes(pickle.dumps((error, result)))


def _end_with(parent: int) -> None:
    """Let this process end when its parent has been killed: the next run does the work again."""
    name = "scenelet-parent-watch"
    if os.getpid() == parent:  # joblib was told to use threads
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
        "dask://HOST:PORT" of a Dask scheduler, or "ray://HOST:PORT" of a Ray head's own port (6379), which is joined
        from one of the cluster's machines.

    Raises
    ------
    InputError
        Where the address is none, or Dask's workers have more threads than one.
    ToolError
        Where the package is not installed, or nothing answers.
    """
    if address is None:
        yield
        return
    kind, _, place = address.partition("://")
    if kind not in _JOIN or not place:
        raise InputError(f"cluster '{address}'", "is no address", "write dask://HOST:PORT or ray://HOST:PORT")
    with _JOIN[kind](address, place) as settings, joblib.parallel_config(n_jobs=-1, **settings):
        yield


def _missing(package: str) -> ToolError:
    return ToolError(package, "is not installed", f"pip install 'scenelet[{package}]'")


def _no_answer(address: str, error: Exception, remedy: str) -> ToolError:
    told = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ToolError(f"cluster {address}", f"cannot be joined ({told})", remedy)


@contextlib.contextmanager
def _dask(address: str, place: str) -> Iterator[dict[str, Any]]:
    try:
        from distributed import Client
    except ImportError:
        raise _missing("dask") from None
    try:
        client = Client(f"tcp://{place}", timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise _no_answer(address, error, "start one with `dask scheduler` and `dask worker --nthreads 1`") from None
    with client:
        threads = client.nthreads().values()
        if not threads:
            raise ToolError(f"cluster {address}", "has no worker", f"start one: dask worker {place} --nthreads 1")
        if max(threads) > 1:
            # Every task has one thread, and a front end of its own: as many tasks as processors.
            raise InputError(f"cluster {address}", "has workers of several threads", "start them with --nthreads 1")
        yield {"backend": "dask", "client": client}


@contextlib.contextmanager
def _ray(address: str, place: str) -> Iterator[dict[str, Any]]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise _missing("ray") from None
    try:
        ray.init(address=place, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise _no_answer(address, error, "start one with `ray start --head`, and join this machine to it") from None
    try:
        register_ray()
        yield {"backend": "ray", "max_nbytes": None}  # arrays go by value: another machine lacks our scratch files
    finally:
        ray.shutdown()


_JOIN = {"dask": _dask, "ray": _ray}
