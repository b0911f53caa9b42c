"""Where a case plays: a store that is put back, retrains in processes of their own, a proxy."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Protocol

from attrs import define, evolve, field

from ..servers.seaweedfs import SeaweedFS
from .nursery import Ended, Nursery
from .proxy import Proxy, Run
from .victim import MODELS, SNAPSHOTS, Job

Contents = Mapping[str, bytes]


class Bench(Protocol):
    """A store and the processes that work on it."""

    def put_back(self, contents: Contents) -> None:
        """Hold exactly this."""

    def contents(self) -> Contents:
        """Every object by bucket and key, but for scratch keys."""

    def retrain(self, job: Job) -> Ended:
        """In a process of its own, with nothing in the way."""


@define(eq=False)
class S3Bench:
    """Over a SeaweedFS of its own, with the proxy in front of it."""

    folder: Path
    server: SeaweedFS = field(init=False)
    proxy: Proxy = field(init=False)
    _victims: Nursery = field(init=False)
    _rivals: Nursery = field(init=False)
    _clients: dict[str, Any] = field(factory=dict, init=False)
    _bodies: dict[tuple[str, str], bytes] = field(factory=dict, init=False)
    _stack: ExitStack = field(factory=ExitStack, init=False)

    def __enter__(self) -> "S3Bench":
        with ExitStack() as stack:
            self.server = stack.enter_context(SeaweedFS(self.folder))
            access = self.server.writer
            host, _, port = access.endpoint.removeprefix("http://").partition(":")
            self.proxy = stack.enter_context(Proxy((host, int(port))))
            for bucket in (MODELS, SNAPSHOTS):
                store = stack.enter_context(closing(access.new_store(bucket)))
                self._clients[bucket] = store.bucket.client
            self._victims = stack.enter_context(Nursery.start())
            self._rivals = stack.enter_context(Nursery.start())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def put_back(self, contents: Contents) -> None:
        """Hold exactly this."""
        now = self.contents(scratch=True)
        for place in now.keys() - contents.keys():
            bucket, _, key = place.partition("/")
            self._clients[bucket].delete_object(Bucket=bucket, Key=key)
        for place, body in contents.items():
            if now.get(place) != body:
                bucket, _, key = place.partition("/")
                self._clients[bucket].put_object(Bucket=bucket, Key=key, Body=body)

    def contents(self, *, scratch: bool = False, afresh: bool = False) -> Contents:
        """Every object; *afresh* does not trust that an ETag stands for the bytes."""
        found = {}
        for bucket, key, etag in self._listed():
            if scratch or not key.startswith("probes/"):
                place = f"{bucket}/{key}"
                if afresh or (place, etag) not in self._bodies:
                    answer = self._clients[bucket].get_object(Bucket=bucket, Key=key)
                    self._bodies[place, etag] = answer["Body"].read()
                found[place] = self._bodies[place, etag]
        return found

    def retrain(self, job: Job) -> Ended:
        """Straight to the server."""
        (ended,) = self.retrains(job)
        return ended

    def retrains(self, *jobs: Job) -> list[Ended]:
        """At once."""
        self._rivals.fork(*(evolve(job, endpoint=self.server.writer.endpoint) for job in jobs))
        return self._rivals.ended()

    def victim(self, job: Job, run: Run) -> Ended:
        """Through the proxy, which does to it what *run* says."""
        self.proxy.run = run
        (pid,) = self._victims.fork(evolve(job, endpoint=self.proxy.endpoint))
        run.victim.set_result(pid)
        (ended,) = self._victims.ended()
        return ended

    def crowd(self, jobs: Sequence[Job], run: Run) -> list[Ended]:
        """Through the proxy, all at once."""
        self.proxy.run = run
        self._victims.fork(*(evolve(job, endpoint=self.proxy.endpoint) for job in jobs))
        return self._victims.ended()

    def _listed(self) -> Iterator[tuple[str, str, str]]:
        for bucket, client in self._clients.items():
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for entry in page.get("Contents", ()):
                    yield bucket, entry["Key"], entry["ETag"]


@define(eq=False)
class FileBench:
    """Over folders."""

    folder: Path
    _nursery: Nursery = field(init=False)

    def __enter__(self) -> "FileBench":
        self._nursery = Nursery.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._nursery.__exit__()

    def put_back(self, contents: Contents) -> None:
        """Hold exactly this."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for place, body in contents.items():
            path = self.folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)

    def contents(self) -> Contents:
        """Every object; what is hidden is no object."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        places = {path.relative_to(self.folder).as_posix(): path for path in files}
        return {place: path.read_bytes() for place, path in places.items() if "/." not in place}

    def retrain(self, job: Job) -> Ended:
        """In a process of its own."""
        self._nursery.fork(evolve(job, folder=str(self.folder)))
        (ended,) = self._nursery.ended()
        return ended
