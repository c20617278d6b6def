"""Columns of the section ``Atoms`` of LAMMPS's data files, by atom style."""

from __future__ import annotations

from collections.abc import Sequence

PLACE = ("x", "y", "z")
IMAGES = ("ix", "iy", "iz")
MOLECULAR = "id mol type x y z"
STYLES = {
    style: tuple(columns.split())
    for style, columns in {
        "angle": MOLECULAR,
        "atomic": "id type x y z",
        "body": "id type bodyflag mass x y z",
        "bond": MOLECULAR,
        "bpm/sphere": "id mol type diameter density x y z",
        "charge": "id type q x y z",
        "dielectric": "id mol type q x y z mux muy muz area ed em epsilon curvature",
        "dipole": "id type q x y z mux muy muz",
        "dpd": "id type theta x y z",
        "edpd": "id type edpd_temp edpd_cv x y z",
        "electron": "id type q spin eradius x y z",
        "ellipsoid": "id type ellipsoidflag density x y z",
        "full": "id mol type q x y z",
        "line": "id mol type lineflag density x y z",
        "mdpd": "id type rho x y z",
        "molecular": MOLECULAR,
        "peri": "id type volume density x y z",
        "rheo": "id type status rho x y z",
        "rheo/thermal": "id type status rho energy x y z",
        "smd": "id type mol volume mass kradius cradius x0 y0 z0 x y z",
        "sph": "id type rho esph cv x y z",
        "sphere": "id type diameter density x y z",
        "spin": "id type x y z spx spy spz sp",
        "tri": "id mol type triangleflag density x y z",
    }.items()
}
WITHOUT_HINT = ("atomic", "charge", "molecular", "full", "sphere", "dipole", "spin")


def columns_of(style: str, n_columns: int) -> tuple[str, ...]:
    """Names of the columns, image flags at the end where there are three columns more.

    Parameters
    ----------
    style : str
        Such as ``"full"`` or ``"hybrid charge sphere"``. Of ``"hybrid"`` alone, which is what
        LAMMPS writes, only the first five columns have names.
    n_columns : int
        Of the rows.

    Raises
    ------
    ValueError
        If the style is not known, or does not have so many columns.
    """
    first, *parts = style.split()
    if first == "hybrid" and not parts and n_columns >= 5:
        return STYLES["atomic"]
    unknown = [name for name in (parts or [first]) if name not in STYLES]
    if unknown:
        raise ValueError(f"atom style {style!r} is not read; {', '.join(STYLES)} and hybrid are")
    names = STYLES["atomic"] if first == "hybrid" else STYLES[first]
    names += tuple(dict.fromkeys(n for part in parts for n in STYLES[part] if n not in names))
    if n_columns not in (len(names), len(names) + 3):
        raise ValueError(
            f"atom style {style} has {len(names)} columns, or {len(names) + 3} with image flags, "
            f"not {n_columns}"
        )
    return names if n_columns == len(names) else names + IMAGES


def fitting_style(rows: Sequence[Sequence[str]], type_names: Sequence[str]) -> str:
    """The one common style that rows without a hint can have.

    Raises
    ------
    ValueError
        If none fits, or several do.
    """
    fitting = [style for style in WITHOUT_HINT if _fits(style, rows, set(type_names))]
    if len(fitting) != 1:
        what = " or ".join(fitting) if fitting else "none of " + ", ".join(WITHOUT_HINT)
        raise ValueError(
            f"its atom style is not said, and {len(rows[0])} columns are {what}: "
            "write it behind the word Atoms, such as 'Atoms # full'"
        )
    return fitting[0]


def _fits(style: str, rows: Sequence[Sequence[str]], type_names: set[str]) -> bool:
    try:
        names = columns_of(style, len(rows[0]))
    except ValueError:
        return False
    whole = [n for n, name in enumerate(names) if name in ("id", "mol", *IMAGES)]
    of_type = names.index("type")
    return all(
        row[of_type] in type_names and all(row[n].lstrip("+-").isdecimal() for n in whole)
        for row in rows
    )
