//! Preset 100.

use super::Fixed;

pub(super) const P100: Fixed = Fixed {
    standard: [15, 11, 12, 11, 16, 15, 11, 3],
    wide: [16, 11, 14, 11, 17, 17, 11, 3],
    root: [14, 10, 11, 10, 15, 14, 10, 3],
    last: [13, 9, 11, 9, 14, 13, 9, 3],
    leaves: &[[0; 8]; 13],
    wide_leaves: &[[0; 8]; 11],
    lift_key: [0; 8],
    join_key: [0; 8],
    root_key: [0; 8],
    last_key: [0; 8],
};
