# %% [markdown]
# # An equation of your own: stripes
#
# Swift and Hohenberg's equation as a class; the same class goes through a
# whole study ([how](../own_system.md)).

# %%
import matplotlib.pyplot as plt
import numpy as np

from macro_ase.systems.field import FieldSystem, inside, laplacian


class SwiftHohenberg(FieldSystem):
    fields, names, ghost = ("u",), ("mean u^2",), 2
    axes, spacing, time_step, boundary, noise = 2, 0.8, 0.005, "periodic", 0.0

    def equation(self, u):
        once = inside(u) + laplacian(u, self.cell)
        return (0.5 - inside(u, 2) ** 2) * inside(u, 2) - inside(once) - laplacian(once, self.cell)

    def observe(self, states):
        return (states**2).mean(axis=(2, 3))

    def initial(self, number, shape, condition, rng):
        return 0.1 * rng.normal(size=(number, 1, *shape))


start = SwiftHohenberg().initial(1, (64, 64), {}, np.random.default_rng(0))
plt.imshow(SwiftHohenberg(cells=64).advance(start, 40.0, 0.005)[0, 0], cmap="RdBu")
