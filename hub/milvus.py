"""The index in Milvus, through pymilvus: one collection a model, one partition a tenant (Lite) or the tenant as partition key (a server).

Milvus takes vectors that are not finite, answers an unknown partition with nothing and lets a repeated key stand: what is asked is checked
here before it is called. Every call has a time limit. A row's key holds the tenant, so that no tenant can write another's row.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hub.index import NEAR_MAX, PROBES_MAX, PUT_MAX, Floats, IndexAway, Near, Template, checked
from hub.rotation import Rotations

if TYPE_CHECKING:
    from pymilvus import MilvusClient

ASK_S_MAX = 20.0
"""A search among a hundred thousand takes a third of a second; what takes longer than this will not come."""
WRITE_S_MAX = 60.0
PAGE = 10_000
"""Rows a page when everything is listed; a server gives no more than 16,384."""
UNFLUSHED_MAX = 512
"""Lite searches what it has not yet written out row by row: at 10,000 rows 380 ms beside 10 ms."""
MODEL_BYTES_MAX = 64
"""As a manifest's names; a collection's name has 255 at most."""
PREFIX = "templates_"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """How tenants are kept apart, and what the vectors are found by. With Lite its HNSW loses rows and recall, and a partition key is
    several times slower than partitions; a server has a bound on partitions and none on the values of a key."""

    partitions: bool
    index_type: str
    build: dict[str, int]
    search: dict[str, int]


LITE = Kind(partitions=True, index_type="FLAT", build={}, search={})
SERVER = Kind(partitions=False, index_type="HNSW", build={"M": 24, "efConstruction": 200}, search={"ef": 2 * NEAR_MAX})


class Milvus:
    """`writing`: held around every write, because Lite bears one writer at a time. `closing`: called last, with whether what the index
    holds can be trusted. May be used from any thread."""

    def __init__(
        self,
        client: MilvusClient,
        rotations: Rotations,
        kind: Kind,
        *,
        writing: Callable[[], AbstractContextManager[object]] = nullcontext,
        closing: Callable[[bool], None] = lambda trusted: None,
        suspect: bool = False,
    ) -> None:
        self.suspect = suspect
        self._client = client
        self._rotations = rotations
        self._kind = kind
        self._writing = writing
        self._closing = closing
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        self._partitions: set[tuple[str, str]] = set()
        self._unflushed: dict[str, int] = {}

    def put(self, tenant_id: str, model: str, templates: Sequence[Template]) -> None:
        if not templates:
            return
        if len(templates) > PUT_MAX:
            raise ValueError(f"{len(templates)} templates in one call; at most {PUT_MAX}")
        rows = checked(np.stack([t.embedding for t in templates]), self._size(model))
        turned = self._rotations.turned(tenant_id, rows)
        data = [
            {"id": _key(tenant_id, t.id), "tenant": _plain(tenant_id), "person": _plain(t.person_id), "vector": vector}
            for t, vector in zip(templates, turned, strict=True)
        ]
        with self._writing():
            self._make(tenant_id, model, rows.shape[1])
            self._call("upsert", _collection(model), data, timeout=WRITE_S_MAX, **self._one_partition(tenant_id))
            self._written(model, len(data))

    def remove_templates(self, tenant_id: str, model: str, template_ids: Sequence[str]) -> None:
        if not template_ids or not self._holds(tenant_id, model):
            return
        with self._writing():
            for start in range(0, len(template_ids), PUT_MAX):
                keys = [_key(tenant_id, i) for i in template_ids[start : start + PUT_MAX]]
                self._call("delete", _collection(model), ids=keys, timeout=WRITE_S_MAX, **self._one_partition(tenant_id))

    def remove_persons(self, tenant_id: str, person_ids: Sequence[str]) -> None:
        for model in self.models() if person_ids else []:
            keys = self._of_persons(tenant_id, model, person_ids)
            with self._writing():
                for start in range(0, len(keys), PUT_MAX):
                    part = keys[start : start + PUT_MAX]
                    self._call("delete", _collection(model), ids=part, timeout=WRITE_S_MAX, **self._one_partition(tenant_id))

    def remove_tenant(self, tenant_id: str) -> None:
        for model in self.models():
            if not self._holds(tenant_id, model):
                continue
            with self._writing():
                if self._kind.partitions:
                    self._call("drop_partition", _collection(model), _partition(tenant_id), timeout=WRITE_S_MAX)
                    self._partitions.discard((tenant_id, model))
                else:
                    self._call("delete", _collection(model), filter=_of_tenant(tenant_id), timeout=WRITE_S_MAX)

    def search(self, tenant_id: str, model: str, probes: Floats, near: int) -> list[list[Near]]:
        if not 0 < near <= NEAR_MAX or len(probes) > PROBES_MAX:
            raise ValueError(f"{len(probes)} probes for {near} templates each; at most {PROBES_MAX} and {NEAR_MAX}")
        if not len(probes):
            return []
        rows = checked(probes, self._size(model))
        if not self._holds(tenant_id, model):
            return [[] for _ in rows]
        found = self._call(
            "search",
            _collection(model),
            list(self._rotations.turned(tenant_id, rows)),
            limit=near,
            search_params={"metric_type": "IP", "params": self._kind.search},
            output_fields=["id", "person"],
            timeout=ASK_S_MAX,
            **self._some_partitions(tenant_id),
            **({} if self._kind.partitions else {"filter": _of_tenant(tenant_id)}),
        )
        return [[Near(_id(hit["id"]), str(hit["entity"]["person"]), float(hit["distance"])) for hit in hits] for hits in found]

    def held(self, tenant_id: str, model: str) -> Iterator[tuple[str, str]]:
        for row in self._rows(tenant_id, model):
            yield _id(row["id"]), str(row["person"])

    def count(self, tenant_id: str, model: str) -> int:
        return sum(1 for _ in self.held(tenant_id, model))

    def count_of_persons(self, tenant_id: str, person_ids: Sequence[str]) -> int:
        return sum(len(self._of_persons(tenant_id, model, person_ids)) for model in self.models()) if person_ids else 0

    def models(self) -> list[str]:
        names = self._call("list_collections", timeout=ASK_S_MAX)
        return sorted(_model(name) for name in names if name.startswith(PREFIX))

    def trust(self) -> None:
        self.suspect = False

    def close(self) -> None:
        # Written out, it opens at once; left in its log it opens all the same, only slower.
        with suppress(IndexAway), self._writing():
            for model in [model for model, rows in self._unflushed.items() if rows]:
                self._flush(model)
        self._client.close()
        self._closing(not self.suspect)

    def _of_persons(self, tenant_id: str, model: str, person_ids: Sequence[str]) -> list[str]:
        """Keys of the rows of these persons."""
        keys: list[str] = []
        for start in range(0, len(person_ids), PUT_MAX):
            named = ", ".join(f'"{_plain(i)}"' for i in person_ids[start : start + PUT_MAX])
            keys += [row["id"] for row in self._rows(tenant_id, model, f" and person in [{named}]")]
        return keys

    def _rows(self, tenant_id: str, model: str, only: str = "") -> Iterator[dict[str, Any]]:
        """Keys in order, so that a page begins behind the last: a row that comes or goes meanwhile shifts nothing."""
        after = ""
        while self._holds(tenant_id, model):
            rows = self._call(
                "query",
                _collection(model),
                filter=f'{_of_tenant(tenant_id)} and id > "{after}"{only}',
                output_fields=["id", "person"],
                limit=PAGE,
                iterator="True",
                timeout=WRITE_S_MAX,
                **self._some_partitions(tenant_id),
            )
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1]["id"]

    def _size(self, model: str) -> int | None:
        """Numbers of a vector of this model; None while the index holds none of it."""
        with self._lock:
            if model in self._sizes:
                return self._sizes[model]
        name = _collection(model)
        if not self._call("has_collection", name, timeout=ASK_S_MAX):
            return None
        fields = self._call("describe_collection", name, timeout=ASK_S_MAX)["fields"]
        size = next(int(field["params"]["dim"]) for field in fields if field["name"] == "vector")
        # A collection that was there before this process is not loaded yet, and may have been left half made.
        self._index(name)
        with self._lock:
            self._sizes[model] = size
        return size

    def _holds(self, tenant_id: str, model: str) -> bool:
        if self._size(model) is None:
            return False
        if not self._kind.partitions or (tenant_id, model) in self._partitions:
            return True
        if not self._call("has_partition", _collection(model), _partition(tenant_id), timeout=ASK_S_MAX):
            return False
        self._partitions.add((tenant_id, model))
        return True

    def _make(self, tenant_id: str, model: str, size: int) -> None:
        if self._size(model) is None:
            self._make_collection(_collection(model), size)
        if self._kind.partitions and not self._holds(tenant_id, model):
            self._call("create_partition", _collection(model), _partition(tenant_id), timeout=WRITE_S_MAX)

    def _make_collection(self, name: str, size: int) -> None:
        from pymilvus import DataType

        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=64)
        schema.add_field("tenant", DataType.VARCHAR, max_length=36, is_partition_key=not self._kind.partitions)
        schema.add_field("person", DataType.VARCHAR, max_length=36)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=size)
        # Strong: what is written is found by the next search.
        self._call("create_collection", name, schema=schema, consistency_level="Strong", timeout=WRITE_S_MAX)
        self._index(name)

    def _index(self, name: str) -> None:
        if not self._call("list_indexes", name, timeout=ASK_S_MAX):
            indexes = self._client.prepare_index_params()
            # Inner product of unit vectors is their cosine, without measuring each again.
            indexes.add_index("vector", index_type=self._kind.index_type, metric_type="IP", params=self._kind.build)
            # Not waited for: Lite has no state of an index to ask for, and an empty collection's index is made at once.
            self._call("create_index", name, indexes, sync=False, timeout=WRITE_S_MAX)
        self._call("load_collection", name, timeout=WRITE_S_MAX)

    def _written(self, model: str, rows: int) -> None:
        self._unflushed[model] = self._unflushed.get(model, 0) + rows
        if self._kind.partitions and self._unflushed[model] >= UNFLUSHED_MAX:
            self._flush(model)

    def _flush(self, model: str) -> None:
        self._call("flush", _collection(model), timeout=WRITE_S_MAX)
        self._unflushed[model] = 0

    def _one_partition(self, tenant_id: str) -> dict[str, str]:
        return {"partition_name": _partition(tenant_id)} if self._kind.partitions else {}

    def _some_partitions(self, tenant_id: str) -> dict[str, list[str]]:
        return {"partition_names": [_partition(tenant_id)]} if self._kind.partitions else {}

    def _call(self, what: str, *arguments: Any, **options: Any) -> Any:
        try:
            return away(what, lambda: getattr(self._client, what)(*arguments, **options))
        except IndexAway:
            # Perhaps what is remembered of it is no longer so: somebody else dropped it, or it came back empty.
            with self._lock:
                self._sizes.clear()
                self._partitions.clear()
            raise


def away(what: str, call: Callable[[], T]) -> T:
    """Whatever goes wrong beyond the line is one thing to whoever asks: the index is away. What it said may quote a filter, so only the
    kind of error is told on."""
    from grpc import RpcError
    from pymilvus.exceptions import MilvusException

    try:
        return call()
    except (MilvusException, RpcError, ConnectionError, TimeoutError) as error:
        code = getattr(error, "code", "")
        told = code() if callable(code) else code
        raise IndexAway(f"The index of templates did not answer ({what}: {type(error).__name__} {told}). It is asked again.") from error


def _collection(model: str) -> str:
    """A collection's name holds letters, digits and _ alone, so everything else is written as _ and two hexadecimal digits a byte."""
    if not 0 < len(model.encode()) <= MODEL_BYTES_MAX:
        raise ValueError(f"a model's name has 1 to {MODEL_BYTES_MAX} bytes, not {len(model.encode())}")
    return PREFIX + re.sub(rb"[^A-Za-z0-9]", lambda found: b"_%02x" % ord(found[0]), model.encode()).decode()


def _model(collection: str) -> str:
    return re.sub(rb"_([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), collection.removeprefix(PREFIX).encode()).decode()


def _partition(tenant_id: str) -> str:
    return f"t_{uuid.UUID(tenant_id).hex}"


def _of_tenant(tenant_id: str) -> str:
    return f'tenant == "{_plain(tenant_id)}"'


def _key(tenant_id: str, template_id: str) -> str:
    return uuid.UUID(tenant_id).hex + uuid.UUID(template_id).hex


def _id(key: str) -> str:
    return str(uuid.UUID(key[32:]))


def _plain(some_id: str) -> str:
    """A UUID in its one usual form. Raises ValueError for anything else, so that nothing else gets into a filter."""
    return str(uuid.UUID(some_id))
