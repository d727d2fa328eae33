//! Every message between tables: what it says, who sends it, who receives it, and what bounds how
//! often.
//!
//! All messages share **one** physical bus, so that the library packs fractions of different kinds
//! into the same LogUp columns. A message is its kind's tag followed by its fields, padded on the
//! *left* with zeros to [`WIDTH`]. Two messages of different kinds never agree: of equal length
//! they have different tags; of different length the shorter has a zero where the longer has its
//! tag, and no tag is zero.
//!
//! | message | sent by | received by | multiplicity |
//! | --- | --- | --- | --- |
//! | [`range16`], [`and`], [`pair`], [`pow`] | any table | `bytes` (provides) | lookups: constant bits, at most one a row and site |
//! | [`fetch`] | `cpu` | `program` (provides) | one a real row |
//! | [`memory`] | the table that accesses: receives the old, sends the new | next access; `merkle` sends the first and receives the last | boolean flags |
//! | [`request`] | `cpu` | one coprocessor | boolean on both sides |
//! | [`node`] | child row of `merkle` | its parent row | boolean |

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_lookup::{Count, InteractionBuilder};
use rwprove_isa::{FIRST_REQUEST_TAG, Op};

use crate::Val;

/// Name of the physical bus.
pub const NAME: &str = "bus";
/// Elements of a message, tag included.
pub const WIDTH: usize = 10;

/// Tags below [`rwprove_isa::FIRST_REQUEST_TAG`]; requests use their own, from `isa`.
pub(crate) mod tag {
    pub(crate) const RANGE16: u32 = 1;
    pub(crate) const AND: u32 = 2;
    pub(crate) const PAIR: u32 = 3;
    pub(crate) const POW: u32 = 4;
    pub(crate) const FETCH: u32 = 5;
    pub(crate) const MEMORY: u32 = 6;
    /// `NODE + 2 * level + phase`: levels 0 to 28 take the tags 1024 to 1081. Request tags end
    /// below 256.
    pub(crate) const NODE: u32 = 1024;
}

/// One message as expressions.
pub type Message<E> = [E; WIDTH];

fn message<E: PrimeCharacteristicRing, const N: usize>(tag: E, fields: [E; N]) -> Message<E> {
    let mut message = [const { None }; WIDTH];
    let start = WIDTH - N - 1;
    message[start] = Some(tag);
    for (place, field) in message[start + 1..].iter_mut().zip(fields) {
        *place = Some(field);
    }
    message.map(|m| m.unwrap_or(E::ZERO))
}

/// `x` is in `0..2^16`.
pub fn range16<E: PrimeCharacteristicRing>(x: E) -> Message<E> {
    message(E::from_u32(tag::RANGE16), [x])
}

/// `x` and `y` are bytes and `z` is their conjunction.
pub fn and<E: PrimeCharacteristicRing>(x: E, y: E, z: E) -> Message<E> {
    message(E::from_u32(tag::AND), [x, y, z])
}

/// `x` and `y` are bytes.
pub fn pair<E: PrimeCharacteristicRing>(x: E, y: E) -> Message<E> {
    message(E::from_u32(tag::PAIR), [x, y])
}

/// `j` is in `0..=16` and `p` is `2^j`.
pub fn pow<E: PrimeCharacteristicRing>(j: E, p: E) -> Message<E> {
    message(E::from_u32(tag::POW), [j, p])
}

/// The instruction at `pc`: packed flags, field a, the two halves of field b, field c, fuel, and
/// the tag of its request. Negative slots are field negatives.
#[allow(clippy::too_many_arguments)]
pub fn fetch<E: PrimeCharacteristicRing>(
    pc: E,
    flags: E,
    a: E,
    b: [E; 2],
    c: E,
    fuel: E,
    request: E,
) -> Message<E> {
    let [b0, b1] = b;
    message(E::from_u32(tag::FETCH), [pc, flags, a, b0, b1, c, fuel, request])
}

/// The word at `addr` has had these limbs since `time`.
pub fn memory<E: PrimeCharacteristicRing>(addr: E, limbs: [E; 2], time: E) -> Message<E> {
    let [lo, hi] = limbs;
    message(E::from_u32(tag::MEMORY), [addr, lo, hi, time])
}

/// A `cpu` row asks a coprocessor: operands `x`, `y` and result `z` as limbs. `time` is the row's
/// clock for operations with the flag `Timed` and accesses to memory, otherwise 0.
pub fn request<E: PrimeCharacteristicRing>(
    tag: E,
    time: E,
    x: [E; 2],
    y: [E; 2],
    z: [E; 2],
) -> Message<E> {
    let ([x0, x1], [y0, y1], [z0, z1]) = (x, y, z);
    message(tag, [time, x0, x1, y0, y1, z0, z1])
}

/// Node `index` (from the left) at `level` of the memory tree has this digest before (`phase` 0)
/// or after (`phase` 1) the shard.
pub fn node<E: PrimeCharacteristicRing>(
    level: E,
    phase: u32,
    index: E,
    digest: [E; 8],
) -> Message<E> {
    let [a, b, c, d, e, f, g, h] = digest;
    let tag = E::from_u32(tag::NODE + phase) + level.double();
    message(tag, [index, a, b, c, d, e, f, g, h])
}

/// Sends a message `count` times; `count` must be constrained to 0 or 1.
pub fn send<AB: InteractionBuilder>(
    builder: &mut AB,
    message: Message<AB::Expr>,
    count: impl Into<AB::Expr>,
) {
    builder.push_interaction(NAME, message, Count::bounded(count.into(), 1));
}

/// Receives a message `count` times; `count` must be constrained to 0 or 1.
pub fn receive<AB: InteractionBuilder>(
    builder: &mut AB,
    message: Message<AB::Expr>,
    count: impl Into<AB::Expr>,
) {
    builder.push_interaction(NAME, message, -Count::bounded(count.into(), 1));
}

/// Provides a message of a fixed table for as many lookups as the prover likes: the lookups are
/// bounded where they are sent.
pub fn provide<AB: InteractionBuilder>(
    builder: &mut AB,
    message: Message<AB::Expr>,
    count: impl Into<AB::Expr>,
) {
    builder.push_interaction(NAME, message, Count::provided(-count.into()));
}

/// Tag and fields of a message.
fn split(message: &Message<Val>) -> (u32, Vec<u32>) {
    let mut fields = message.iter().map(PrimeField32::as_canonical_u32).skip_while(|&x| x == 0);
    (fields.next().unwrap_or(0), fields.collect())
}

/// Whether the message is of a kind that the `bytes` table provides.
pub(crate) fn is_lookup(message: &Message<Val>) -> bool {
    matches!(split(message).0, tag::RANGE16 | tag::AND | tag::PAIR | tag::POW)
}

/// Whether the message is one that the `bytes` table provides.
pub(crate) fn holds(message: &Message<Val>) -> bool {
    let (tag, fields) = split(message);
    match (tag, fields.as_slice()) {
        (tag::RANGE16, &[x]) => x < 1 << 16,
        (tag::AND, &[x, y, z]) => x < 256 && y < 256 && z == x & y,
        (tag::PAIR, &[x, y]) => x < 256 && y < 256,
        (tag::POW, &[j, p]) => j <= 16 && p == 1 << j,
        _ => false,
    }
}

/// Kind and fields of a message, for people.
pub(crate) fn describe(message: &Message<Val>) -> (String, Vec<u32>) {
    let (tag, fields) = split(message);
    let kind = match tag {
        tag::RANGE16 => "range16".into(),
        tag::AND => "and".into(),
        tag::PAIR => "pair".into(),
        tag::POW => "pow".into(),
        tag::FETCH => "fetch".into(),
        tag::MEMORY => "memory".into(),
        tag::NODE.. => {
            let (level, phase) = ((tag - tag::NODE) / 2, tag % 2);
            format!("node of level {level}, phase {phase}")
        }
        FIRST_REQUEST_TAG.. => match Op::ALL.get((tag - FIRST_REQUEST_TAG) as usize) {
            Some(op) => format!("request {}", op.name()),
            None => {
                let shift = tag - FIRST_REQUEST_TAG - Op::ALL.len() as u32;
                format!("request {} by {shift}", Op::Fshl.name())
            }
        },
        _ => format!("unknown tag {tag}"),
    };
    (kind, fields)
}
