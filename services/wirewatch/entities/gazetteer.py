"""A catalogue and its finder, which take in an operator's own entities together."""

from functools import cached_property

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.topics.entities import Entity


class Gazetteer:
    """Names by entity and entities by name. One thread changes it; others may read meanwhile."""

    def __init__(self, catalogue: Catalogue) -> None:
        """`catalogue` is changed by `apply`: give a copy of one that others use."""
        self.catalogue = catalogue

    @cached_property
    def finder(self) -> Finder:
        """The finder, made when it is first asked for."""
        return Finder(self.catalogue)

    def apply(self, key: str, old: Entity | None, new: Entity | None) -> None:  # noqa: ARG002
        """Take in a change of the own entity `key` (`runtime.projection.OnChange`)."""
        if new is None:
            self.catalogue.remove(key)
        else:
            self.catalogue.put(new)
        if "finder" not in self.__dict__:
            return  # it will be made with what the catalogue has then
        if new is None:
            self.finder.remove([key])
        else:
            self.finder.put([new])
