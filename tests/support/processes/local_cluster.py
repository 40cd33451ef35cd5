"""A Dask or Ray cluster of two workers on this computer, until standard input ends: local_cluster.py dask|ray.

Writes its address in the form that ``--cluster`` takes.
"""

import os
import sys


def dask() -> None:
    """Two worker processes of one thread each."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        _serve(cluster.scheduler_address.replace("tcp://", "dask://"))


def ray() -> None:
    """Two processors, on the loopback alone."""
    import ray as package

    context = package.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    _serve(f"ray://{context.address_info['gcs_address']}")
    package.shutdown()


def _serve(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    # Ray's own niceness of 15 would leave a worker next to nothing beside other programs.
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_worker_niceness="0")
    {"dask": dask, "ray": ray}[sys.argv[1]]()
