"""Files of an operator's own entities: YAML and CSV."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import UNSET, UnsetType
from yaml.error import MarkedYAMLError

from wirewatch.api.entity_views import EntityView
from wirewatch.cli.client import ENTITIES, ApiClient, ApiProblem, client, segment
from wirewatch.entities.own import own_id
from wirewatch.runtime.errors import Problem
from wirewatch.topics.entities import Kind

MAX_FILE_BYTES = 50_000_000
COLUMNS = ("name", "kind", "id", "language", "names", "exceptions")
MISSING, CONFLICT = 404, 409
Fields = dict[str, Any]


class EntityLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entity of a file. What it leaves out stays as it is; what it says is empty is emptied.

    Of a CSV one row tells one language, and rows of one name are one.
    """

    name: str
    kind: Kind | UnsetType = UNSET
    id: str | UnsetType = UNSET
    names: dict[str, str] | UnsetType = UNSET
    exceptions: dict[str, str] | UnsetType = UNSET
    context: tuple[str, ...] | UnsetType = UNSET
    dropped: tuple[str, ...] | UnsetType = UNSET

    def given(self) -> dict[str, object]:
        """Return the fields to send. One without an id and names is called what it is called."""
        fields = {
            name: value
            for name, value in msgspec.structs.asdict(self).items()
            if value is not UNSET
        }
        return (
            fields if self.id or self.names is not UNSET else fields | {"names": {"*": self.name}}
        )


async def load(path: Path) -> str:
    """Add or change the entities of a file; return a summary.

    The whole file is read before the first is sent. Raises Problem with the place in the file.
    """
    entities = read_file(path)
    added = changed = 0
    async with client() as api:
        for number, entity in enumerate(entities, 1):
            try:
                is_new = await _put(api, entity)
            except ApiProblem as problem:
                if not problem.status:
                    raise
                where = f"{path}, entity {number} ({entity.name})"
                raise Problem(
                    f"{where}: {problem} {number - 1} before it are in force."
                ) from problem
            added += is_new
            changed += not is_new
    return f"{len(entities)} entities: {added} added, {changed} there already and as described now"


async def _put(api: ApiClient, entity: EntityLine) -> bool:
    fields = entity.given()
    try:
        return (await api.create(ENTITIES, fields, EntityView)).is_new
    except ApiProblem as problem:
        if problem.status != CONFLICT:
            raise
        conflict = problem
    for fixed in ("kind", "id"):
        fields.pop(fixed, None)
    key = entity.id or own_id(entity.name, entity.kind or Kind.ORGANISATION)
    try:
        await api.patch(f"{ENTITIES}/{segment(key)}", fields, EntityView)
    except ApiProblem as problem:
        # It is not there, so the conflict was another one: there is no room for more.
        raise conflict if problem.status == MISSING else problem from problem
    return False


def read_file(path: Path) -> list[EntityLine]:
    """Return the entities of a YAML or CSV file. Raises Problem."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise Problem(f"{path} is larger than {MAX_FILE_BYTES} bytes: split it.")
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Problem(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8.") from error
    read = _read_csv if path.suffix.lower() == ".csv" else _read_yaml
    return list(read(path, text))


def _read_yaml(path: Path, text: str) -> Iterator[EntityLine]:
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, see below
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Problem(f"{path}, line {line} is not YAML: {error.problem}.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise Problem(f"{path} is not YAML: {_one_line(error)}.") from error
    if not isinstance(content, list):
        raise Problem(f"{path} is not a list of entities: begin each with `- name: …`.")
    for number, item in enumerate(content, 1):
        yield _entity(f"{path}, entity {number}", item)


class _Loader(yaml.SafeLoader):
    """Leaves words as they are: the language `no` is not false. Takes no anchors and no tags."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases, of which a few lines can stand for gigabytes, and tags."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            raise MarkedYAMLError(
                problem="anchors (&, *) are not taken", problem_mark=event.start_mark
            )
        if getattr(event, "tag", None) not in {None, "!"}:
            raise MarkedYAMLError(problem="tags (!) are not taken", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Refuse what is said twice: the first would be lost without a word."""
        seen: set[object] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise MarkedYAMLError(
                    problem=f"{key.value} is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}


def _read_csv(path: Path, text: str) -> Iterator[EntityLine]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: list[tuple[str, Fields]] = []
    by_name: dict[str, list[Fields]] = defaultdict(list)
    try:
        columns = rows.fieldnames or ()
        _check_columns(path, columns)
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            cells = _cells(where, row)
            of_name = by_name[cells["name"]]
            entity = _of_row(cells, of_name)
            if entity is None:
                entity = {key: {} for key in ("names", "exceptions") if key in columns}
                of_name.append(entity)
                found.append((where, entity))
            entity |= {key: cells[key] for key in ("name", "kind", "id") if key in cells}
            _add_names(where, entity, cells)
    except csv.Error as error:
        raise Problem(f"{path}, line {rows.reader.line_num} is not CSV: {error}.") from error
    for where, entity in found:
        yield _entity(where, entity)


def _cells(where: str, row: dict[str | Any, str | Any]) -> dict[str, str]:
    if None in row:
        raise Problem(f"{where}: there are more cells than columns.")
    cells = {key: value.strip() for key, value in row.items() if value and value.strip()}
    if "name" not in cells:
        raise Problem(f"{where}: the name is missing.")
    return cells


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    known = f"there are {', '.join(COLUMNS)}"
    for column in columns:
        if column not in COLUMNS:
            raise Problem(f"{path} has a column {column!r}, which is not known: {known}.")
        if columns.count(column) > 1:
            raise Problem(f"{path} has the column {column} twice.")
    if "name" not in columns:
        raise Problem(f"{path} needs a column name: {known}.")


def _of_row(cells: dict[str, str], of_name: list[Fields]) -> Fields | None:
    """Return the entity of a row: the last of its name, unless kind or id say otherwise."""
    told = [(key, cells[key]) for key in ("kind", "id") if key in cells]
    return next(
        (
            entity
            for entity in reversed(of_name)
            if all(entity.get(key, value) == value for key, value in told)
        ),
        None,
    )


def _add_names(where: str, entity: Fields, cells: dict[str, str]) -> None:
    language = cells.get("language", "*")
    for key in ("names", "exceptions"):
        if key in cells:
            if language in entity[key]:
                raise Problem(f"{where}: {key} of {entity['name']} in {language} are there twice.")
            entity[key][language] = cells[key]


def _entity(where: str, fields: Any) -> EntityLine:
    try:
        entity = msgspec.convert(fields, EntityLine)
        msgspec.json.encode(entity)  # half a character, which "\\ud800" is, cannot be sent
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise Problem(f"{where}: {error}.") from error
    return entity


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
