//! Every message between tables: what it says, who sends it, who receives it, and what bounds how
//! often.
//!
//! The library packs fractions of one physical bus into shared LogUp columns, two in each, and
//! pays for every field of a bus's widest message. So messages that often stand together, and are
//! about as wide, share a [`Bus`]; the library keeps buses apart. Where kinds share a bus a message
//! starts with its kind's tag, which is never zero, and is padded on the *left* with zeros: of equal
//! length two kinds have different tags, of different length the shorter has a zero where the
//! longer has its tag.
//!
//! | message | sent by | received by | multiplicity |
//! | --- | --- | --- | --- |
//! | [`range16`], [`and`], [`pair`], [`pow`] | any table | `bytes` (provides) | lookups: constant bits, at most one a row and site |
//! | [`fetch`] | `cpu` | `program` (provides) | one a real row |
//! | [`memory`] | the table that accesses: receives the old, sends the new | next access; `merkle` sends the first and receives the last | boolean flags |
//! | [`request`] | `cpu` | one coprocessor | boolean on both sides |
//! | [`node`] | child row of `merkle` | its parent row | boolean |
//! | [`wire`], [`block`] | the row of a circuit that creates it | the rows that read it | preprocessed |

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use p3_lookup::{Count, InteractionBuilder};
use rwprove_isa::{FIRST_REQUEST_TAG, Op};

use crate::{EXTENSION, Val};

/// A physical bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bus {
    /// [`range16`], without tag.
    Range,
    /// [`memory`], without tag.
    Memory,
    /// [`and`], [`pair`] and [`pow`].
    Bytes,
    /// [`fetch`] and [`request`].
    Ask,
    /// [`node`].
    Node,
    /// [`wire`] and [`block`], without tag.
    Circuit,
}

impl Bus {
    /// All buses.
    pub const ALL: [Bus; 6] =
        [Bus::Range, Bus::Memory, Bus::Bytes, Bus::Ask, Bus::Node, Bus::Circuit];

    /// Its name for the library.
    pub const fn name(self) -> &'static str {
        match self {
            Bus::Range => "range",
            Bus::Memory => "memory",
            Bus::Bytes => "bytes",
            Bus::Ask => "ask",
            Bus::Node => "node",
            Bus::Circuit => "circuit",
        }
    }

    /// Elements of its messages, tag and padding included.
    pub const fn width(self) -> usize {
        match self {
            Bus::Range => 1,
            Bus::Memory | Bus::Bytes => 4,
            Bus::Ask | Bus::Circuit => 9,
            Bus::Node => WIDTH,
        }
    }
}

/// Elements of the widest message.
pub const WIDTH: usize = 10;

/// Tags; requests use their own, from [`rwprove_isa::FIRST_REQUEST_TAG`] on.
pub(crate) mod tag {
    pub(crate) const AND: u32 = 1;
    pub(crate) const PAIR: u32 = 2;
    pub(crate) const POW: u32 = 3;
    pub(crate) const FETCH: u32 = 1;
    /// `NODE + 2 * level + phase`: levels 0 to 28 take the tags 1024 to 1081.
    pub(crate) const NODE: u32 = 1024;
}

/// One message as expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message<E> {
    /// Where it is said.
    pub bus: Bus,
    /// Its tag, if it has one, and fields, padded on the left to the widest message.
    fields: [E; WIDTH],
}

impl<E: PrimeCharacteristicRing> Message<E> {
    /// A message of as many elements as the bus has, or of fewer.
    pub(crate) fn new(bus: Bus, elements: impl DoubleEndedIterator<Item = E>) -> Self {
        let mut fields = [const { None }; WIDTH];
        for (place, element) in fields.iter_mut().rev().zip(elements.rev()) {
            *place = Some(element);
        }
        Self { bus, fields: fields.map(|field| field.unwrap_or(E::ZERO)) }
    }

    /// The elements that its bus carries.
    fn elements(self) -> impl Iterator<Item = E> {
        let padding = WIDTH - self.bus.width();
        self.fields.into_iter().skip(padding)
    }
}

fn tagged<E: PrimeCharacteristicRing, const N: usize>(
    bus: Bus,
    tag: E,
    fields: [E; N],
) -> Message<E> {
    // A chain of arrays has two ends, as `new` asks for.
    Message::new(bus, [tag].into_iter().chain(fields))
}

/// `x` is in `0..2^16`.
pub fn range16<E: PrimeCharacteristicRing>(x: E) -> Message<E> {
    Message::new(Bus::Range, [x].into_iter())
}

/// `x` and `y` are bytes and `z` is their conjunction.
pub fn and<E: PrimeCharacteristicRing>(x: E, y: E, z: E) -> Message<E> {
    tagged(Bus::Bytes, E::from_u32(tag::AND), [x, y, z])
}

/// `x` and `y` are bytes.
pub fn pair<E: PrimeCharacteristicRing>(x: E, y: E) -> Message<E> {
    tagged(Bus::Bytes, E::from_u32(tag::PAIR), [x, y])
}

/// `j` is in `0..=16` and `p` is `2^j`.
pub fn pow<E: PrimeCharacteristicRing>(j: E, p: E) -> Message<E> {
    tagged(Bus::Bytes, E::from_u32(tag::POW), [j, p])
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
    tagged(Bus::Ask, E::from_u32(tag::FETCH), [pc, flags, a, b0, b1, c, fuel, request])
}

/// The word at `addr` has had these limbs since `time`.
pub fn memory<E: PrimeCharacteristicRing>(addr: E, limbs: [E; 2], time: E) -> Message<E> {
    let [lo, hi] = limbs;
    Message::new(Bus::Memory, [addr, lo, hi, time].into_iter())
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
    tagged(Bus::Ask, tag, [time, x0, x1, y0, y1, z0, z1])
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
    tagged(Bus::Node, tag, [index, a, b, c, d, e, f, g, h])
}

/// The wire of a circuit with this number carries this element of the challenge field.
pub fn wire<E: PrimeCharacteristicRing>(index: E, value: [E; EXTENSION]) -> Message<E> {
    Message::new(Bus::Circuit, [index].into_iter().chain(value))
}

/// The wire of a circuit with this number carries this element of the base field.
pub fn felt<E: PrimeCharacteristicRing>(index: E, value: E) -> Message<E> {
    let upper: [E; EXTENSION - 1] = std::array::from_fn(|_| E::ZERO);
    Message::new(Bus::Circuit, [index, value].into_iter().chain(upper))
}

/// The block of a circuit with this number, which is not zero, has these elements. Where a block has
/// its number, a wire has a zero.
pub fn block<E: PrimeCharacteristicRing>(index: E, elements: [E; 8]) -> Message<E> {
    Message::new(Bus::Circuit, [index].into_iter().chain(elements))
}

/// Sends a message `count` times; `count` must be constrained to 0 or 1.
pub fn send<AB: InteractionBuilder>(
    builder: &mut AB,
    message: Message<AB::Expr>,
    count: impl Into<AB::Expr>,
) {
    builder.push_interaction(
        message.bus.name(),
        message.elements(),
        Count::bounded(count.into(), 1),
    );
}

/// Receives a message `count` times; `count` must be constrained to 0 or 1.
pub fn receive<AB: InteractionBuilder>(
    builder: &mut AB,
    message: Message<AB::Expr>,
    count: impl Into<AB::Expr>,
) {
    builder.push_interaction(
        message.bus.name(),
        message.elements(),
        -Count::bounded(count.into(), 1),
    );
}

/// Provides a message of a fixed table for as many lookups as the prover likes: the lookups are
/// bounded where they are sent.
pub fn provide<AB: InteractionBuilder>(
    builder: &mut AB,
    message: Message<AB::Expr>,
    count: impl Into<AB::Expr>,
) {
    builder.push_interaction(
        message.bus.name(),
        message.elements(),
        Count::provided(-count.into()),
    );
}

/// Creates a wire or block of a circuit: `count` is how often it is read, and preprocessed.
pub fn create<AB: InteractionBuilder>(
    builder: &mut AB,
    message: Message<AB::Expr>,
    count: impl Into<AB::Expr>,
) {
    builder.push_interaction(message.bus.name(), message.elements(), Count::provided(count.into()));
}

/// Creates or reads a wire or block of a circuit: `count` is preprocessed, and it is -1 if the row
/// reads, or else how often what it creates is read.
///
/// The library's weight bounds questions, not what answers them; so here it bounds what the row
/// reads. All counts of a message but its creator's are -1, and by that bound they are fewer than
/// `p`; its creator's is their number by the circuit's key.
pub fn exchange<AB: InteractionBuilder>(
    builder: &mut AB,
    message: Message<AB::Expr>,
    count: impl Into<AB::Expr>,
) {
    send(builder, message, count);
}

/// Tag and fields of a message on a bus with tags.
fn split(message: &Message<Val>) -> (u32, Vec<u32>) {
    let fields = message.fields.iter().map(PrimeField32::as_canonical_u32);
    let mut fields = fields.skip_while(|&x| x == 0);
    (fields.next().unwrap_or(0), fields.collect())
}

/// The elements of a message on a bus without tags.
fn plain(message: &Message<Val>) -> Vec<u32> {
    message.elements().map(|x| x.as_canonical_u32()).collect()
}

/// Whether the message is of a kind that the `bytes` table provides.
pub(crate) fn is_lookup(message: &Message<Val>) -> bool {
    matches!(message.bus, Bus::Range | Bus::Bytes)
}

/// Whether the message is one that the `bytes` table provides.
pub(crate) fn holds(message: &Message<Val>) -> bool {
    match message.bus {
        Bus::Range => plain(message).iter().all(|&x| x < 1 << 16),
        Bus::Bytes => {
            let (tag, fields) = split(message);
            match (tag, fields.as_slice()) {
                (tag::AND, &[x, y, z]) => x < 256 && y < 256 && z == x & y,
                (tag::PAIR, &[x, y]) => x < 256 && y < 256,
                (tag::POW, &[j, p]) => j <= 16 && p == 1 << j,
                _ => false,
            }
        }
        Bus::Memory | Bus::Ask | Bus::Node | Bus::Circuit => false,
    }
}

/// Kind and fields of a message, for people.
pub(crate) fn describe(message: &Message<Val>) -> (String, Vec<u32>) {
    match message.bus {
        Bus::Range => return ("range16".into(), plain(message)),
        Bus::Memory => return ("memory".into(), plain(message)),
        Bus::Circuit => {
            let mut elements = plain(message);
            let block = elements.first() != Some(&0);
            if !block {
                elements.drain(..Bus::Circuit.width() - 1 - EXTENSION);
            }
            return (if block { "block" } else { "wire" }.into(), elements);
        }
        Bus::Bytes | Bus::Ask | Bus::Node => {}
    }
    let (tag, fields) = split(message);
    let kind = match (message.bus, tag) {
        (Bus::Bytes, tag::AND) => "and".into(),
        (Bus::Bytes, tag::PAIR) => "pair".into(),
        (Bus::Bytes, tag::POW) => "pow".into(),
        (Bus::Ask, tag::FETCH) => "fetch".into(),
        (Bus::Ask, FIRST_REQUEST_TAG..) => match Op::ALL.get((tag - FIRST_REQUEST_TAG) as usize) {
            Some(op) => format!("request {}", op.name()),
            None => {
                let shift = tag - FIRST_REQUEST_TAG - Op::ALL.len() as u32;
                format!("request {} by {shift}", Op::Fshl.name())
            }
        },
        (Bus::Node, tag::NODE..) => {
            let (level, phase) = ((tag - tag::NODE) / 2, tag % 2);
            format!("node of level {level}, phase {phase}")
        }
        _ => format!("unknown tag {tag}"),
    };
    (kind, fields)
}
