"""Two equations of one's own, as users write them: Fisher-KPP with noise, and Swift-Hohenberg."""

from typing import Any

import numpy as np

from macro_ase.systems.field import FieldSystem, inside, laplacian


class FisherKPP(FieldSystem):
    """u' = D lap u + r u (1 - u) + noise sqrt(u) W."""

    fields, names = ("u",), ("mean u", "mean u^2")
    growth, diffusion, low = 1.0, 1.0, 0.0

    def equation(self, u: Any) -> Any:
        inner = inside(u)
        return self.diffusion * laplacian(u, self.cell) + self.growth * inner * (1 - inner)

    def amplitude(self, u: Any) -> Any:
        return np.sqrt(u)

    def initial(self, number: int, shape: Any, condition: Any, rng: Any) -> Any:
        return rng.uniform(0.1, 0.5, (number, 1, *shape))

    def observe(self, fields: Any) -> Any:
        u = fields[:, 0].reshape(len(fields), -1)
        return np.stack([u.mean(axis=1), (u**2).mean(axis=1)], axis=1)


class SwiftHohenberg(FieldSystem):
    """u' = r u - (1 + lap)^2 u - u^3: its biharmonic reaches two cells far."""

    fields, names, ghost, spacing = ("u",), ("mean u^2",), 2, 0.5
    r = 0.2

    def equation(self, u: Any) -> Any:
        once = inside(u) + laplacian(u, self.cell)
        twice = inside(once) + laplacian(once, self.cell)
        inner = inside(u, 2)
        return self.r * inner - twice - inner**3

    def initial(self, number: int, shape: Any, condition: Any, rng: Any) -> Any:
        return 0.1 * rng.normal(size=(number, 1, *shape))

    def observe(self, fields: Any) -> Any:
        return (np.asarray(fields) ** 2).reshape(len(fields), -1).mean(axis=1, keepdims=True)
