"""What an alloy study hands to the learning."""

import numpy as np

from macro_ase.studies.alloy import one_of_repeats

STATES, REPEATS, PATCHES, D = 5, 4, 3, 2


def chunk() -> dict[str, np.ndarray]:
    """Pairs in the order in which they are made: states, repeats, patches."""
    state, repeat, patch = np.meshgrid(
        np.arange(STATES), np.arange(REPEATS), np.arange(PATCHES), indexing="ij"
    )
    dz = 100 * state + 10 * repeat + patch
    return {
        "snapshot": state.ravel(),
        "z0": np.repeat(state.ravel()[:, None], D, axis=1).astype(float),
        "dz": np.repeat(dz.ravel()[:, None], D, axis=1).astype(float),
        "condition": np.ones((dz.size, 1)),
        "n_patches": np.full(dz.size, PATCHES),
    }


def test_drift_is_learned_from_means_of_repeats_and_noise_from_single_increments() -> None:
    one = one_of_repeats(chunk(), REPEATS)
    state, patch = np.divmod(np.arange(STATES * PATCHES), PATCHES)
    np.testing.assert_array_equal(one["snapshot"], state)
    np.testing.assert_array_equal(one["z0"][:, 0], state)
    np.testing.assert_array_equal(one["dz"][:, 1], 100 * state + patch)
    np.testing.assert_array_equal(one["mean"][:, 1], 100 * state + 15 + patch)


def test_without_repeats_all_is_as_it_was() -> None:
    pairs = chunk()
    one = one_of_repeats(pairs, 1)
    assert set(one) == {"z0", "dz", "condition", "snapshot"}
    for name, values in one.items():
        np.testing.assert_array_equal(values, pairs[name])
