"""The joint model's coefficients laid out in one vector, and the rows that multiply them."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .arrays import Floats, Integers
from .deliveries import Deliveries, Placement, Priors, Sizes

# The overall level is free in practice, yet proper, so that an outcome without one response still has a mode.
_LEVEL_PRECISION = 1.0 / 25.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Order of coefficients: level, channels, slots, stages, tags, then one split block of tags for each group."""

    sizes: Sizes
    tags: int

    @property
    def cell_end(self) -> int:
        """Where the cell effects end and the tag effects begin."""
        return 1 + self.sizes.channels + self.sizes.slots + self.sizes.stages

    @property
    def width(self) -> int:
        """Number of coefficients, asset effects not counted."""
        return self.cell_end + self.tags * (1 + self.sizes.groups)

    def tag(self, tag: int) -> int:
        """Position of beta_t."""
        return self.cell_end + tag

    def split(self, tag: int, group: int) -> int:
        """Position of delta_{t,g}."""
        return self.cell_end + self.tags * (1 + group) + tag

    def precisions(self, priors: Priors) -> Floats:
        """Prior precision of each coefficient, shape (width,)."""
        values = np.full(self.width, priors.cell_precision)
        values[0] = _LEVEL_PRECISION
        values[self.cell_end :] = priors.split_sd**-2
        values[self.cell_end : self.cell_end + self.tags] = priors.tag_sd**-2
        return values

    def row(self, place: Placement, tags: Floats) -> Floats:
        """Multipliers of one placement carrying `tags`, shape (tags,); result has shape (width,)."""
        row = np.zeros(self.width)
        row[[0, 1 + place.channel]] = 1.0
        row[1 + self.sizes.channels + place.slot] = 1.0
        row[1 + self.sizes.channels + self.sizes.slots + place.stage] = 1.0
        row[self.cell_end : self.cell_end + self.tags] = tags
        start = self.split(0, place.stage_group)
        row[start : start + self.tags] = tags
        return row

    def retag(self, rows: Floats, groups: Integers, tags: Floats) -> Floats:
        """Rows, shape (deliveries, width), in stage groups `groups`, as if all carried `tags`, shape (tags,)."""
        changed = rows.copy()
        changed[:, self.cell_end :] = 0.0
        changed[:, self.cell_end : self.cell_end + self.tags] = tags
        starts = self.cell_end + self.tags * (1 + groups)
        changed[np.arange(groups.size)[:, None], starts[:, None] + np.arange(self.tags)] = tags
        return changed


def design_rows(deliveries: Deliveries, layout: Layout) -> sparse.csr_array:
    """Every delivery's multipliers as a sparse table, shape (deliveries, width)."""
    rows, sizes = np.arange(len(deliveries)), layout.sizes
    positions = [
        np.zeros(len(deliveries), dtype=np.intp),
        1 + deliveries.channel,
        1 + sizes.channels + deliveries.slot,
        1 + sizes.channels + sizes.slots + deliveries.stage,
    ]
    at_row, at_tag = np.nonzero(deliveries.tags[deliveries.asset])
    values = deliveries.tags[deliveries.asset[at_row], at_tag]
    split = layout.cell_end + layout.tags * (1 + deliveries.stage_group[at_row]) + at_tag
    row_of = np.concatenate([np.tile(rows, len(positions)), at_row, at_row])
    column_of = np.concatenate([*positions, layout.cell_end + at_tag, split])
    entries = np.concatenate([np.ones(rows.size * len(positions)), values, values])
    return sparse.csr_array((entries, (row_of, column_of)), shape=(rows.size, layout.width))


def membership(asset: Integers, assets: int) -> sparse.csr_array:
    """Which asset each delivery carries, shape (assets, deliveries)."""
    ones = np.ones(asset.size)
    return sparse.csr_array((ones, (asset, np.arange(asset.size))), shape=(assets, asset.size))
