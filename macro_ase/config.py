"""Settings of a study: the preset TOML is the schema.

`presets/STUDY.toml` lists every key of a study with its default and a comment. A user's file
names the study (a name, or the path of a preset) and only the keys that it changes:

    study = "nbmota"
    seed = 3
    [large]
    size = [8, 8, 8]

Keys are handled by their full dotted name (``large.size``). From weakest to strongest: the
preset, its ``[quick]`` table of dotted keys with ``--quick``, the user's file where it differs
from the preset, ``--set``, then options of their own (seed, workers, structure).
"""

from __future__ import annotations

import copy
import difflib
import tomllib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from .reasons import absent
from .refusals import Mended
from .setting_values import Unfit, coerced, fitting, plain
from .toml_text import as_options
from .unknown_keys import meant, unknown_key

Config = dict[str, Any]

PRESETS = Path(__file__).parent / "presets"
OWN = "own"
GROUP = "macro_ase.studies"
"""Entry points of installed packages' studies."""


@dataclass(frozen=True)
class Schema:
    """The settings that a study has.

    Attributes
    ----------
    study : str
        Its name.
    keys : dict
        Defaults by full name.
    open_tables : sequence of str
        Tables that take any further key.
    homes : Path
        Folder of the presets that ship.
    """

    study: str
    keys: Config
    open_tables: Sequence[str]
    homes: Path

    def unknown(self, key: str) -> str:
        """One line on a key that is none of them."""
        files = sorted(self.homes.glob("*.toml"))
        homes = (file.stem for file in files if key in flatten(_read_toml(file)))
        return unknown_key(key, self.study, list(self.keys), homes)


def load_config(
    study_or_path: str | Path,
    quick: bool = False,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    workers: int | None = None,
    structure: str | Path | None = None,
    changes: Config | None = None,
    study_of: Callable[[Config], Any] | None = None,
) -> Config:
    """The complete settings of a study, checked.

    Parameters
    ----------
    study_or_path : str or Path
        Name of a preset, or a TOML file with ``study = "NAME"`` and the keys it changes.
    quick : bool
        Apply the preset's ``[quick]`` table, a version that runs in minutes.
    overrides : sequence of str
        ``"key.name=value"``, the value in TOML; a bare word is a string.
    seed, workers : int, optional
        Values for the keys ``seed`` and ``workers``.
    structure : str or Path, optional
        Value for the key ``system.structure``: the file of the user's own crystal.
    changes : dict, optional
        Further values: tables, or keys by their last name where that is one key's alone.
    study_of : callable, optional
        What is made of settings, such as `studies.registry.study_of`: the option that a refusal
        names is one that this accepts, too.

    Returns
    -------
    dict
        Nested tables with every key of the preset, and ``study``, the preset's name.

    Raises
    ------
    ValueError
        For an unknown study or key (with the nearest valid one), or a value of the wrong type;
        with the option that mends it at the end.
    FileNotFoundError
        If the file does not exist.
    """
    named = {"seed": seed, "workers": workers}
    wanted = [_parse_override(text) for text in overrides]
    wanted += [(key, value) for key, value in named.items() if value is not None]
    if structure is not None:
        wanted.append(("system.structure", str(structure)))
    wanted += flatten(changes or {}).items()
    return _mended(study_or_path, quick, dict(wanted), study_of or dict)


def _mended(
    study_or_path: str | Path, quick: bool, changes: Config, study_of: Callable[[Config], Any]
) -> Config:
    """`_load`, whose refusals name what would do: the first form that is accepted, as it is or with
    what a further refusal names."""
    try:
        return _load(study_or_path, quick, changes, PRESETS)
    except Unfit as error:
        own = error.key, error.key.rpartition(".")[2]
        others = {key: value for key, value in changes.items() if key not in own}
        for form in error.forms:
            further = _refusal(study_or_path, quick, others | form, study_of)
            if further is None or isinstance(further, Mended):
                instead = form | (further.instead if further else {})
                raise Mended(f"{error}: {as_options(instead)}", instead) from error
        raise ValueError(f"{error}: {as_options(error.forms[0])}") from error


def _refusal(
    study_or_path: str | Path, quick: bool, changes: Config, study_of: Callable[[Config], Any]
) -> Exception | None:
    """What is said against changes; of a study that cannot be made here, nothing is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            study_of(_mended(study_or_path, quick, changes, study_of))
        except (ValueError, OSError) as error:
            return error
        except ImportError:
            return None
    return None


def preset_of(study_or_path: str | Path) -> Path:
    """The preset of a study or of a file of settings, which has every key with its meaning.

    Raises
    ------
    ValueError, FileNotFoundError
        As `load_config`.
    """
    return _study_and_changes(study_or_path, PRESETS)[1]


def usual(config: Config) -> Config:
    """Settings of the preset of the same ``system.model``, by full name; {} if there is none.

    Those of its quick form where more of them are as here.
    """
    model, now = config.get("system", {}).get("model"), flatten(config)
    for file in _all_presets():
        if model is not None and flatten(_read_toml(file)).get("system.model") == model:
            forms = [flatten(_load(file, quick, {}, PRESETS)) for quick in (False, True)]
            return max(forms, key=lambda form: sum(now.get(k) == v for k, v in form.items()))
    return {}


def _all_presets() -> Iterator[Path]:
    """Those that ship, then those of installed packages, looked for only if they are needed."""
    yield from sorted(PRESETS.glob("*.toml"))
    yield from installed_presets().values()


def list_studies() -> list[tuple[str, str]]:
    """Name and one-line title of each study that ships, in alphabetical order."""
    return _list_studies(PRESETS)


def _load(study_or_path: str | Path, quick: bool, changes: Config, presets: Path) -> Config:
    study, file, user = _study_and_changes(study_or_path, presets)
    preset = _read_toml(file)
    quick_changes, open_tables = flatten(preset.pop("quick", {})), tuple(preset.pop("open", ()))
    schema = flatten(preset)
    settings, known = dict(schema), Schema(study, schema, open_tables, presets)
    if isinstance(changes.get("system.class"), str):
        changes |= {"system.class": _beside(Path(study_or_path), changes["system.class"])}
    if quick:
        settings |= _checked(quick_changes, known, settings)
    changes = _by_full_name(changes, schema)
    own = {key: value for key, value in flatten(user).items() if key not in changes}
    settings |= {k: v for k, v in _checked(own, known, settings).items() if v != schema.get(k)}
    settings |= _checked(changes, known, settings, named=True)
    _check_run_keys(settings)
    model = schema.get("system.model")
    if settings.get("system.model") != model:
        text = f"system.model of the study {study} is {model!r}: choose another study"
        raise Unfit(text, "system.model", [{"system.model": model}])
    tables: Config = {name: {} for name in open_tables}
    return {"study": study} | tables | _nest(settings)


def _by_full_name(changes: Config, schema: Config) -> Config:
    """Changes, those of a last name that is one key's alone under its full name."""
    full = {}
    for key, value in changes.items():
        ends = [name for name in schema if name.rpartition(".")[2] == key]
        full[ends[0] if key not in schema and len(ends) == 1 else key] = value
    return full


def _study_and_changes(study_or_path: str | Path, presets: Path) -> tuple[str, Path, Config]:
    """Name of the study, its preset, and the keys that the user's file sets.

    A file that names no study is one itself if it has a title and ``system.model``, and a system of
    the user's own if it has ``system.class``.
    """
    path = Path(study_or_path)
    if path.suffix != ".toml":
        return str(study_or_path), _known_study(str(study_or_path), presets), {}
    user = _read_toml(path)
    study, system = user.pop("study", None), user.get("system", {})
    if study is None and isinstance(system, dict) and "title" in user and "model" in system:
        return path.stem, path, {}
    if study is None and isinstance(system, dict) and "class" in system:
        study = OWN
    if not isinstance(study, str):
        names = ", ".join(name for name, _ in _list_studies(presets))
        raise ValueError(f'{path} does not name its study: add study = "NAME", one of {names}')
    if isinstance(system, dict) and isinstance(system.get("class"), str):
        system["class"] = _beside(path, system["class"])
    if study.endswith(".toml"):
        return Path(study).stem, path.parent / study, user
    return study, _known_study(study, presets), user


def _beside(settings: Path, spec: str) -> str:
    """A ``module:Class`` whose module lies beside the settings, by its path."""
    module, colon, name = spec.rpartition(":")
    names = (module, f"{module}.py") if module else ()
    found = [settings.parent / own for own in names if (settings.parent / own).is_file()]
    return f"{found[0].resolve()}{colon}{name}" if found else spec


def _known_study(name: str, presets: Path) -> Path:
    """The preset of a study that ships, or of an installed package."""
    own = {path.stem: path for path in sorted(presets.glob("*.toml"))}
    if name in own:
        return own[name]
    others = installed_presets()
    if name not in others:
        near = _nearest(name, [*own, *others])
        raise ValueError(f"unknown study {name!r}; {near} (a file of settings ends in .toml)")
    return others[name]


def installed_presets() -> dict[str, Path]:
    """Presets that installed packages' studies name, by the name of the entry point."""
    found = {}
    for entry in entry_points(group=GROUP):
        preset = getattr(entry.load(), "preset", None)
        if preset is not None:
            found[entry.name] = Path(preset)
    return found


def _list_studies(presets: Path) -> list[tuple[str, str]]:
    files = {path.stem: path for path in sorted(presets.glob("*.toml"))} | installed_presets()
    return [(name, _read_toml(file)["title"]) for name, file in files.items()]


def _read_toml(path: Path) -> Config:
    if not path.is_file():
        raise FileNotFoundError(absent(path))
    try:
        return copy.deepcopy(_parsed(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from error


@lru_cache(maxsize=64)
def _parsed(text: str) -> Config:
    """TOML text as nested tables, those of presets once a process."""
    return tomllib.loads(text)


def _parse_override(text: str) -> tuple[str, Any]:
    """Key and value of ``"key=value"``."""
    key, equals, raw = (part.strip() for part in text.partition("="))
    if not equals or not key:
        raise ValueError(f"expected KEY=VALUE, as in --set seed=3, not {text!r}")
    try:
        parsed = tomllib.loads(f"value = {raw}")
    except tomllib.TOMLDecodeError as error:
        if not raw:
            raise ValueError(
                f"{key}= is not a TOML value, for there is none: {key}=VALUE, or {key}='\"\"'"
            ) from error
        if raw[0] not in "[{\"'":
            return key, raw
        raise ValueError(f"{key} = {raw} is not a TOML value: {error}") from error
    return key, parsed["value"]


def flatten(table: Config, prefix: str = "") -> Config:
    """Nested tables as one table of dotted keys."""
    flat: Config = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _nest(flat: Config) -> Config:
    """Dotted keys as nested tables."""
    nested: Config = {}
    for name, value in flat.items():
        *tables, key = name.split(".")
        inner = nested
        for table in tables:
            inner = inner.setdefault(table, {})
        inner[key] = value
    return nested


def _checked(changes: Config, schema: Schema, usual: Config, named: bool = False) -> Config:
    """The changes, each known to the schema and in the type of its default.

    Keys of open tables that the schema does not have are taken as they are. A refusal holds what
    fits instead, last the ``usual`` value; that of an unknown key only if an option ``named`` it.
    """
    checked = {}
    for key, value in changes.items():
        if key in schema.keys:
            default = schema.keys[key]
            try:
                checked[key] = coerced(key, value, default)
            except ValueError as error:
                forms = [{key: form} for form in fitting(key, value, default, usual[key])]
                raise Unfit(str(error), key, forms) from error
        elif key.partition(".")[0] in schema.open_tables and "." in key:
            checked[key] = plain(key, value)
        else:
            for full in meant(key, list(schema.keys))[: 1 if named else 0]:
                found = fitting(full, value, schema.keys[full], usual[full])
                raise Unfit(schema.unknown(key), key, [{full: form} for form in found])
            raise ValueError(schema.unknown(key))
    return checked


def _nearest(name: str, known: Sequence[str]) -> str:
    if not known:
        return "there is none"
    return f"did you mean {difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]!r}?"


def _check_run_keys(settings: Config) -> None:
    """Limits of the two keys that every study shares."""
    for key, least in (("seed", 0), ("workers", 1)):
        if key in settings and settings[key] < least:
            text = f"{key} must be {least} or larger, not {settings[key]}"
            raise Unfit(text, key, [{key: least}])
