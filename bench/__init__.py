"""The suite behind the command line: plan, fill, measure, compare, judge."""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

_PACKAGES = ("bench", "masks", "methods", "reports")
_HOME = Path(__file__).parents[1]


class _Ours:
    """Finds the packages of this project where this one lies, before anybody else looks.

    Else a folder ``methods`` or a file ``masks.py`` in the current directory would be taken for
    them wherever that directory is searched, which for an editable installation is everywhere.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(_HOME)]) if name in _PACKAGES else None


def _refuse_strangers() -> None:
    """Say what is wrong where one's own module was imported first, as in a notebook."""
    for name in _PACKAGES:
        module = sys.modules.get(name)
        found = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")
        if found and not Path(found).is_relative_to(_HOME / name):
            raise ImportError(
                f"expected {name} to be a package of inpaint-bench, found {found}, "
                "which was imported before under that name; import inpaint-bench first, or give "
                "that module another name"
            )


_refuse_strangers()
sys.meta_path.insert(0, _Ours)
