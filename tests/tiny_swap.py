"""The least that the study `swap` can do, whatever its alloy."""

TINY_SWAP = (
    "system.small_size=[3, 3, 3]",
    "system.patch_size=[1, 1, 1]",
    "small.runs=2",
    "small.events=2.0",
    "sampling.dt_events=[0.125]",
    "sampling.patches_per_state=4",
    "sampling.repeats=1",
    "learning.members=2",
    "learning.epochs=1",
    "learning.width=4",
    "direct.runs=0",
    "direct.relaxation_times=1.0",
    "predict.paths=4",
)
