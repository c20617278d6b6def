"""Every refusal of a setting ends with an option that mends it, whatever was wrong."""

import re
import shlex
import warnings
from typing import Any

import pytest

from macro_ase.cli_arguments import parser
from macro_ase.cli_runs import settings_of
from macro_ase.config import flatten, load_config
from macro_ase.refusals import Refused
from macro_ase.studies.fixes import checked
from macro_ase.studies.registry import study_of

FIX = re.compile(r": (--set \S.*)$")
BAD: dict[str, list[tuple[str, ...]]] = {
    "nbmota": [
        ("system.small_size=[8,8,8]", "system.large_size=[18,18,18]", "sampling.grow=true"),
        ("sampling.grow=true",),
        ("system.small_size=[20,20,20]",),
        ("system.small_size=[4,4,4]", "system.composition=Nb0.497Mo0.5Ta0.003"),
        ("system.small_size=[1,8,8]",),
        ("system.small_size=[8,8]",),
        ("system.small_size=8",),
        ("system.large_size=[18,18]",),
        ("conditions.temperatures_K=1600",),
        ("system.small_size=[8,8,'x']",),
        ("system.smal_size=[6,6,6]",),
        ("system.shells=4",),
        ("system.boundary=periodic",),
        ("system.boundary=open",),
        ("system.sites_per_vacancy=1",),
        ("system.composition=NbMoW",),
        ("system.composition=NbMoCu",),
        ("system.composition=Nb",),
        ("system.composition=Qq",),
        ("conditions.temperatures_K=[-5.0]",),
        ("conditions.temperatures_K=[]",),
        ("sampling.dt_events=[510]",),
        ("sampling.dt_events=[]",),
        ("small.events=1",),
        ("small.events=[300000,300000]",),
        ("sampling.patches_per_state=1000000",),
        ("sampling.copies=3",),
        ("direct.relaxation_times=0.0",),
        ("learning.drift=onsage",),
        ("learning.width=0",),
        ("learning.learning_rate=1e300",),
        ("time.vacancy_fraction='1.5'",),
        ("time.vacancy_fraction=1e-6",),
        ("sampling.dt_events=300",),
        ("seed=-1",),
        ("workers=0",),
        ("workers=5000",),
        ("system.model=ising",),
        ("system.model=3.5",),
        ("system.large_size=7",),
        ("system.smal_size=[7,7,7]",),
        ("system.large_size=[18,18,18]", "system.small_size=wide"),
        ("system.large_size=[18,18,18]", "system.smal_size=wide", "small.event=1"),
        ("learning.drift=3.5",),
    ],
    "nbmota-swap": [("system.buffer_cells=0",), ("system.small_size=[7,7,7]",)],
    "nbmota-composition": [
        ('conditions.compositions=["NbMo", "NbMo"]',),
        ("conditions.compositions=[]",),
        ('conditions.compositions=["NbMoTa", "NbMo", "MoTa"]',),
        ('conditions.compositions=["NbMoTa"]',),
    ],
    "swap": [
        ("system.patch_size=[5,5,5]",),
        ("system.patch_size=[0,3,3]",),
        ("system.small_size=[20,20,20]",),
        ("system.small_size=[3,3,3]",),
        ("system.buffer_cells=0",),
        ("system.lattice=bc",),
        ("system.sites=idea",),
        ("system.halo_A=-1.0",),
        ("system.shells=9",),
        ("system.lattice_constant_A=-1.0",),
        ("system.composition=Cu",),
    ],
    "ising": [
        ("sampling.patches=[7]",),
        ("sampling.patch=7",),
        ("sampling.buffer=40",),
        ("sampling.magnetisation=[0.5, 0.1]",),
        ("sampling.times=[3.0, 1.0]",),
        ("sampling.starts=1",),
        ("direct.magnetisations=[2.0]",),
        ("direct.few_runs=0",),
        ("scan.patch=5",),
        ("scan.times=[0.0]",),
        ("scan.buffers=[99]",),
        ("closure.kind=encode",),
        ("closure.compare=all",),
        ("sampling.magnetisation=0.3",),
        ("sampling.patches=[4]", "closure.kind=encoder"),
        ("sampling.boundary=open",),
        ("system.side=0",),
        ("system.temperature=0.0",),
    ],
    "curie-weiss": [("learning.baseline=naiv",), ("sampling.patches=[]",)],
    "ising-critical": [
        ("sampling.beyond_share=-1.0",),
        ("system.sizes=[16, 30]",),
        ("system.sizes=[16]",),
        ("system.temperatures=[2.27]",),
        ("system.middle=2.0",),
        ("learning.chains=7",),
        ("checks.scan_size=31",),
        ("checks.scan_times=[0.0]",),
        ("checks.scan_buffers=[-1]",),
        ("prediction.step=1e-9",),
    ],
    "allen-cahn": [
        ("sampling.patch=31",),
        ("sampling.buffer=99",),
        ("sampling.boundary=open",),
        ("sampling.starts=5", "sampling.last_age=1.0", "sampling.interval=1.0"),
        ("sampling.interval=7.0",),
        ("system.time_step=99.0",),
        ("system.width=0.0",),
        ("system.noise=-1.0",),
        ("system.noise_kind=whit",),
        ("sampling.increments=singel",),
        ("prediction.ways=[\"unit\"]",),
    ],
    "predator-prey": [
        ("sampling.interval=1e-9",),
        ("sampling.interval=40.0",),
        ("direct.interval=31.0",),
        ("sampling.means=[0.5, 0.1]",),
        ("system.a=0.0",),
        ("direct.runs=1",),
    ],
    "predator-prey-forces": [
        ("data.means=[0.6, 0.4]",),
        ("data.interval=31.0",),
        ("data.interval=0.07",),
        ("data.dt=1e-9",),
        ("forces.share=2.0",),
        ("forces.equivalents=[1]",),
        ("forces.equivalents=[10000000]",),
        ('forces.losses=["Ly"]',),
        ("encoder.hidden=[]",),
        ("encoder.variables=9",),
        ("forces.share=0.02",),
    ],
    "allen-cahn-forces": [("system.n_side=7",), ("data.inner=[0.4, 0.45]",)],
    "lennard-jones-forces": [
        ("data.temperatures=[2.0, 1.0]",),
        ("data.every=100000",),
        ("system.n_atoms=10",),
        ("data.velocity_seed=0",),
        ("system.density=0.0",),
    ],
    "lennard-jones-saving": [
        ("data.block_atoms=33",),
        ("data.block_atoms=1",),
        ("data.training_runs=[40]",),
        ("encoder.rates=9",),
        ("forces.configurations=[1]",),
        ("free.test=[]",),
        ("encoder.basis.number=1",),
        ("data.velocity_seed=2147483648",),
    ],
}  # fmt: skip


def made(study: str, *changes: str, quick: bool = False) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return study_of(load_config(study, quick, changes, study_of=study_of))


def options(study: str, *changes: str, quick: bool = False) -> list[str]:
    """What the refusal of changes names instead."""
    with pytest.raises(ValueError) as error:
        made(study, *changes, quick=quick)
    fix = FIX.search(str(error.value))
    assert fix is not None and "\n" not in str(error.value), str(error.value)
    return [word for word in shlex.split(fix[1]) if word != "--set"]


@pytest.mark.slow
@pytest.mark.parametrize("study", BAD)
def test_the_options_that_are_named_mend_it(study: str) -> None:
    known = flatten(load_config(study))
    for changes in BAD[study]:
        others = [change for change in changes if change.partition("=")[0] in known]
        made(study, *others, *options(study, *changes))


@pytest.mark.slow
@pytest.mark.parametrize("study", BAD)
def test_a_quick_form_is_mended_by_its_own_values(study: str) -> None:
    full, quick = flatten(load_config(study)), flatten(load_config(study, True))
    for key in (key for key in quick if quick[key] != full[key]):
        wrong = "none" if isinstance(quick[key], bool) else "false"
        (option,) = options(study, f"{key}={wrong}", quick=True)
        made(study, option, quick=True)
        assert flatten(load_config(study, True, [option])) == quick


def test_the_nearest_comes_first_and_nothing_that_is_refused_is_named() -> None:
    def design_of(config: dict[str, Any]) -> None:
        if config["system"]["side"] % 6:
            raise Refused("side must be even, and more", {"side": config["system"]["side"] + 1})
        if config["learning"]["width"] > 3:
            raise ValueError("too wide")

    config = {"system": {"model": "", "side": 5}, "learning": {"width": 3}}
    with pytest.raises(ValueError, match=r"even, and more: --set system\.side=6$"):
        checked(design_of, config)
    config["system"]["side"] = 4
    with pytest.raises(ValueError, match=r"even, and more$"):
        checked(design_of, config)
    config["system"]["side"] = 6
    checked(design_of, config)


def test_what_a_refusal_names_is_followed_until_all_is_accepted() -> None:
    with pytest.raises(ValueError) as error:
        made("nbmota", "system.large_size=[18,18,18]", "sampling.grow=true")
    assert str(error.value).endswith(
        ": --set system.small_size=[9,9,9] --set sampling.memory_events=0 "
        "--set sampling.early_parts=false"
    )


def test_what_cannot_be_tried_fits_at_least() -> None:
    def study_of(config: dict[str, Any]) -> None:
        raise ImportError("torch")

    with pytest.raises(ValueError, match=r"--set system\.small_size=\[7,7,7\]$"):
        load_config("nbmota", False, ["system.small_size=7"], study_of=study_of)


def test_the_command_line_tries_what_it_names() -> None:
    words = ["run", "nbmota", "--quick", "--set", "system.large_size=7"]
    named = r"--set system\.large_size=\[7,7,7\] --set system\.small_size=\[7,7,7\]$"
    with pytest.raises(ValueError, match=named):
        settings_of(parser().parse_args(words))


def test_a_file_with_a_wrong_value_is_mended_by_the_option(tmp_path: Any) -> None:
    (tmp_path / "mine.toml").write_text('study = "ising"\n[system]\nside = "wide"\n')
    with pytest.raises(ValueError, match=r"--set system.side=64$"):
        load_config(tmp_path / "mine.toml")
    assert load_config(tmp_path / "mine.toml", False, ["system.side=64"])["system"]["side"] == 64
