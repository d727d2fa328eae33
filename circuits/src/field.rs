//! The field and its extension, named once; nothing else may assume the degree.

use p3_field::{BasedVectorSpace, extension::QuinticTrinomialExtensionField};
use p3_koala_bear::KoalaBear;

/// Base field of every trace: KoalaBear, `p = 2^31 - 2^24 + 1`.
pub type Val = KoalaBear;
/// Field of the verifier's challenges.
pub type Challenge = QuinticTrinomialExtensionField<Val>;
/// Coefficients of a challenge over the base field.
pub const EXTENSION: usize = <Challenge as BasedVectorSpace<Val>>::DIMENSION;
