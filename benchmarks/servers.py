"""A cluster of Spark, a server of Sail and a store of objects, each of real processes on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
TOOLS = Path(__file__).parent.parent / ".tools" / "cluster" / "bin"  # made by `make cluster`
WORKERS = 2
PATIENCE = 120.0  # seconds for a server to listen: Java starts slowly where all cores are taken
HERE = "127.0.0.1"


@dataclass
class Cluster:
    """master: its address. remote: of a Spark Connect server that drives it. workers: a process group each."""

    master: str
    remote: str
    log: Path
    events: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    driver: subprocess.Popen[bytes] | None = None

    def kill_worker(self) -> None:
        """One of them, with the process that computes for it: as if its machine were lost."""
        _kill(self.workers.pop())

    def end_driver(self) -> None:
        """End the Connect server: another may have the workers."""
        if self.driver is not None:
            _kill(self.driver)


@contextmanager
def spark_cluster(folder: Path, *, short: bool = False, memory: str = "2g") -> Iterator[Cluster]:
    """A standalone master, two workers with a core each, and a Connect server that has both of them.

    short: it lives for minutes: to compile its Java for speed takes longer than to run it.
    What its driver has executed stands in `folder`/events, as Spark writes it.
    """
    (folder / "events").mkdir(parents=True)
    port, connect = free_port(), free_port()
    cluster = Cluster(f"spark://{HERE}:{port}", f"sc://{HERE}:{connect}", folder / "log", folder / "events")
    java = [str(HOME / "bin" / "spark-class")]
    home = {"SPARK_LOCAL_IP": HERE, "SPARK_WORKER_DIR": str(folder / "work"), "SPARK_LOCAL_DIRS": str(folder / "local")}
    home["SPARK_HOME"] = str(HOME)
    small = home | {"SPARK_DAEMON_MEMORY": "256m"}  # which is enough for those who compute nothing
    java_options = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1" if short else "-XX:+UseSerialGC"
    with ExitStack() as running:
        where = ["--host", HERE, "--webui-port", "0"]
        running.enter_context(
            process(
                [*java, "org.apache.spark.deploy.master.Master", "--port", str(port), *where], small, cluster.log, port
            )
        )
        for _ in range(WORKERS):
            command = [*java, "org.apache.spark.deploy.worker.Worker", *where, "--cores", "1", "--memory", memory]
            worker = running.enter_context(process([*command, cluster.master], small, cluster.log))
            cluster.workers.append(worker)
        submit = [
            str(HOME / "bin" / "spark-submit"), "--master", cluster.master, "--driver-memory", "1g",
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--conf", f"spark.connect.grpc.binding.port={connect}",
            "--conf", f"spark.connect.grpc.binding.address={HERE}",
            "--conf", f"spark.executor.memory={memory}",
            "--conf", f"spark.executor.extraJavaOptions={java_options}", "--driver-java-options", java_options,
            "--conf", "spark.ui.enabled=false",
            "--conf", "spark.eventLog.enabled=true", "--conf", f"spark.eventLog.dir=file://{folder / 'events'}",
            "--conf", "spark.eventLog.rolling.enabled=false", "--conf", "spark.eventLog.compress=false",
            "spark-internal",
        ]  # fmt: skip
        cluster.driver = running.enter_context(process(submit, home, cluster.log, connect))
        yield cluster


@contextmanager
def sail(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of a Sail: Spark Connect without Spark and Java."""
    port = free_port()
    command = [str(TOOLS / "sail"), "spark", "server", "--ip", HERE, "--port", str(port)]
    with process(command, environment, folder / "sail-log", port):
        yield f"sc://{HERE}:{port}"


@contextmanager
def object_store(folder: Path, bucket: str) -> Iterator[dict[str, str]]:
    """Moto's S3 with an empty bucket; the environment in which it is found."""
    port = free_port()
    address = f"http://{HERE}:{port}"
    # Made up: Moto asks for some, and takes any.
    told = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "of-these-tests-alone")
    told |= {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": address}
    # Sail has names of its own for where the store is.
    told |= {"AWS_ENDPOINT": address, "AWS_ALLOW_HTTP": "true", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false"}
    with process([str(TOOLS / "moto_server"), "-H", HERE, "-p", str(port)], {}, folder / "moto-log", port):
        made = "import sys; from pyarrow import fs; fs.S3FileSystem(endpoint_override=sys.argv[1], "
        made += "allow_bucket_creation=True).create_dir(sys.argv[2])"
        subprocess.run([sys.executable, "-c", made, address, bucket], check=True, env=os.environ | told)  # noqa: S603 - ours
        yield told


@contextmanager
def process(
    command: list[str], environment: Mapping[str, str], log: Path, port: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process and its children, while they run; begun once it listens at `port`. Its output stands in `log`."""
    with log.open("ab") as told:
        running = subprocess.Popen(  # noqa: S603 - ours
            command, env=os.environ | dict(environment), stdout=told, stderr=told, start_new_session=True
        )
    try:
        if port is not None:
            _wait(running, port, log)
        yield running
    finally:
        _kill(running)


def _wait(running: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), socket.create_connection((HERE, port), timeout=1):
            return
        if running.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"nobody listens at {port}:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def _kill(running: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def free_port() -> int:
    with socket.socket() as free:
        free.bind((HERE, 0))
        port: int = free.getsockname()[1]
        return port
