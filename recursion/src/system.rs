//! The circuits of a preset: a leaf for each listed shape, lift, join, root and the last one.
//!
//! A circuit depends on the heights of the proofs that it verifies, and on the keys that it holds
//! as constants; both are in a [`Fixed`]. What a circuit *is* does not depend on its own key, so
//! everything follows from the heights: leaves first, then the lift, which holds the keys of wide
//! leaves, the join, the root, and the last circuit, which holds the root's key.

use rwprove_circuits::{
    machine::ChipId,
    shape::{Shape, listed},
};
use rwprove_verifier::{
    Preset,
    compressed::{self, Fixed, LogHeights},
    config::{DIGEST, Digest, Layer},
    machine,
};
use thiserror::Error;

use crate::{
    backend::{Backend, Rule},
    circuit::{self, Builder, Circuit, CircuitError},
    layers::{self, Constants, Keys},
    verify::{Stark, StarkError},
};

/// A circuit's place among all of a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Id {
    /// A leaf of shards of a listed shape without keccak, by its place among these.
    Leaf(usize),
    /// A leaf of shards of a listed shape with keccak, by its place among these.
    WideLeaf(usize),
    /// The lift of a wide leaf.
    Lift,
    /// The join.
    Join,
    /// The root.
    Root,
    /// The last circuit.
    Last,
    /// What proves a statement, in the last one's place. Its key is not one of ours, as it is made
    /// with hashes of another field.
    Settle,
}

impl Id {
    /// The leaf of a shape; `None` if the shape is not listed.
    pub fn leaf(shape: &Shape) -> Option<Self> {
        let place = of_width(is_wide(shape)).position(|listed| listed == *shape)?;
        Some(if is_wide(shape) { Id::WideLeaf(place) } else { Id::Leaf(place) })
    }

    /// All circuits with keys of ours, each after those whose keys it holds.
    pub fn all() -> impl Iterator<Item = Self> {
        let leaves = (0..of_width(false).count()).map(Id::Leaf);
        let wide = (0..of_width(true).count()).map(Id::WideLeaf);
        leaves.chain(wide).chain([Id::Lift, Id::Join, Id::Root, Id::Last])
    }

    /// Its name, for people.
    pub fn name(self) -> String {
        match self {
            Id::Leaf(place) => format!("leaf {place}"),
            Id::WideLeaf(place) => format!("wide leaf {place}"),
            Id::Lift => "lift".into(),
            Id::Join => "join".into(),
            Id::Root => "root".into(),
            Id::Last => "last".into(),
            Id::Settle => "settle".into(),
        }
    }

    /// Its layer.
    pub const fn layer(self) -> Layer {
        match self {
            Id::Leaf(_) | Id::WideLeaf(_) | Id::Lift | Id::Join => Layer::Inner,
            Id::Root => Layer::Root,
            Id::Last => Layer::Last,
            Id::Settle => Layer::Settle,
        }
    }

    /// Heights of its tables.
    pub const fn heights(self, fixed: &Fixed) -> &LogHeights {
        match self {
            Id::Leaf(_) | Id::Lift | Id::Join => &fixed.standard,
            Id::WideLeaf(_) => &fixed.wide,
            Id::Root => &fixed.root,
            Id::Last => &fixed.last,
            Id::Settle => &fixed.settle,
        }
    }

    /// Its key; `None` if there is no such leaf, or none of ours.
    pub fn key(self, fixed: &Fixed) -> Option<Digest> {
        let key = match self {
            Id::Leaf(place) => fixed.leaves.get(place)?,
            Id::WideLeaf(place) => fixed.wide_leaves.get(place)?,
            Id::Lift => &fixed.lift_key,
            Id::Join => &fixed.join_key,
            Id::Root => &fixed.root_key,
            Id::Last => &fixed.last_key,
            Id::Settle => return None,
        };
        Some(compressed::key(key))
    }

    /// Its key's place in the set of keys of its heights; of those that are in one.
    pub fn place(self, fixed: &Fixed) -> Option<usize> {
        match self {
            Id::Leaf(place) | Id::WideLeaf(place) => Some(place),
            Id::Lift => Some(fixed.leaves.len()),
            Id::Join => Some(fixed.leaves.len() + 1),
            Id::Root | Id::Last | Id::Settle => None,
        }
    }
}

fn is_wide(shape: &Shape) -> bool {
    shape.log_height(ChipId::Keccak).is_some()
}

/// The listed shapes with keccak, or those without.
pub fn of_width(wide: bool) -> impl Iterator<Item = Shape> {
    listed().filter(move |shape| is_wide(shape) == wide)
}

/// Why there is no circuit.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SystemError {
    /// There is no such proof to verify.
    #[error(transparent)]
    Stark(#[from] StarkError),
    /// It cannot be built.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// It breaks a rule by itself.
    #[error(transparent)]
    Rule(#[from] Rule),
    /// A key that the circuit holds is not known yet.
    #[error("a placeholder stands for a key that {} holds", .0.name())]
    Placeholder(Id),
    /// A place without a shape.
    #[error("there is no {}", .0.name())]
    Missing(Id),
}

/// What the algorithm must know of the proofs that a circuit verifies.
///
/// # Errors
/// [`SystemError`] if there are none.
pub fn below(id: Id, fixed: &Fixed, preset: Preset) -> Result<Stark, SystemError> {
    let circuits = |heights: &LogHeights, layer| compressed::layout(heights, preset, layer);
    let shards = |wide, place: usize| {
        let shape = of_width(wide).nth(place).ok_or(SystemError::Missing(id))?;
        Ok::<_, SystemError>(machine::layout(&shape, preset.layer(Layer::Shard)))
    };
    let layout = match id {
        Id::Leaf(place) => shards(false, place)?,
        Id::WideLeaf(place) => shards(true, place)?,
        Id::Lift => circuits(&fixed.wide, Layer::Inner),
        Id::Join | Id::Root => circuits(&fixed.standard, Layer::Inner),
        Id::Last | Id::Settle => circuits(&fixed.root, Layer::Root),
    };
    Ok(Stark::new(&layout)?)
}

/// Builds a circuit.
///
/// # Errors
/// [`SystemError`] if it does not exist.
pub fn build(id: Id, fixed: &Fixed, preset: Preset) -> Result<Circuit, SystemError> {
    let mut b = Builder::new();
    let stark = below(id, fixed, preset)?;
    let said = run(&mut b, id, fixed, preset, &stark)?;
    b.expose(&said);
    Ok(b.finish()?)
}

/// Whether the keys that a circuit holds are known: there are some, and none is all zeros.
fn known(id: Id, keys: &[[u32; DIGEST]]) -> Result<(), SystemError> {
    let placeholder = keys.is_empty() || keys.contains(&[0; DIGEST]);
    if placeholder { Err(SystemError::Placeholder(id)) } else { Ok(()) }
}

/// What a circuit does, on any backend.
///
/// # Errors
/// The rule that is broken, or that there is no such circuit.
pub fn run<B: Backend>(
    b: &mut B,
    id: Id,
    fixed: &Fixed,
    preset: Preset,
    stark: &Stark,
) -> Result<B::Digest, SystemError> {
    // The set's depth is known before its keys are: the join's own key is one of them.
    let depth = fixed.keys().depth();
    let mut leaf = |wide, place| {
        let shape = of_width(wide).nth(place).ok_or(SystemError::Missing(id))?;
        Ok::<_, SystemError>(layers::leaf(b, &shape, stark)?)
    };
    Ok(match id {
        Id::Leaf(place) => leaf(false, place)?,
        Id::WideLeaf(place) => leaf(true, place)?,
        Id::Lift => {
            known(id, fixed.wide_leaves)?;
            let set = fixed.wide_keys();
            layers::pass(b, stark, Keys { depth: set.depth(), set: Some(set.root()) })?
        }
        Id::Join => layers::join(b, stark, depth)?,
        Id::Root => layers::pass(b, stark, Keys { depth, set: None })?,
        Id::Last => {
            known(id, &[fixed.root_key])?;
            layers::shrink(b, stark, &compressed::key(&fixed.root_key))?
        }
        Id::Settle => {
            known(id, &[fixed.root_key])?;
            let (root, keys) = (compressed::key(&fixed.root_key), fixed.keys().root());
            let constants = Constants { root, keys, machine: fixed.machine, preset };
            layers::settle(b, stark, &constants)?
        }
    })
}

/// Heights that a circuit needs, as [`Fixed`] has them.
pub fn log_heights(circuit: &Circuit) -> LogHeights {
    let heights: circuit::LogHeights = circuit.log_heights();
    heights.map(|log_height| log_height as u8)
}
