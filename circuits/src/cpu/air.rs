//! Constraints of the `cpu` table.
//!
//! What they rely on, and who sees to it:
//! - The fetched fields are those of the program, which lowering made: operations have the flags
//!   that `isa` gives them, a load's operand b is no slot, `Mov` has no operand a, a chained row
//!   stands directly after its partner and is no target. So the flags of operations exclude each
//!   other, except where `isa` sets several.
//! - Every word in memory has limbs below 2^16, except in the frame region, which only calls and
//!   returns touch. Initial words have (program image; the input's limbs are bounded where it is
//!   hashed), and written words have: see `result`.
//! - A sum of two limbs and a carry has one way to be `limb + 2^16 bit` with the limb in range.

use p3_air::{AirBuilder, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::InteractionBuilder;
use rwprove_isa::{
    Flag::{self, *},
    Trap, layout,
    record::{C_TIME, clock},
};

use super::{arithmetic, columns::CpuCols, public};
use crate::{
    Val,
    bus::{self, receive, send},
    program,
};

/// Everything a rule needs of one row.
pub(super) struct Row<AB: AirBuilder> {
    pub(super) c: CpuCols<AB::Var>,
    pub(super) next: CpuCols<AB::Var>,
}

impl<AB: InteractionBuilder<F = Val>> Row<AB> {
    /// The flag as an expression.
    pub(super) fn is(&self, flag: Flag) -> AB::Expr {
        self.c.flag[flag as usize].into()
    }

    /// Whether one of several flags is set that exclude each other.
    pub(super) fn any<const N: usize>(&self, flags: [Flag; N]) -> AB::Expr {
        flags.into_iter().map(|f| self.is(f)).sum()
    }

    /// A load or store.
    pub(super) fn access(&self) -> AB::Expr {
        self.any([Load, Store])
    }

    /// An access to linear memory with bounds check: `Priv` comes only with `Load` or `Store`.
    fn guest(&self) -> AB::Expr {
        self.access() - self.is(Priv)
    }

    /// 1 if the access, if there is one, happens in this row.
    fn direct(&self) -> AB::Expr {
        AB::Expr::ONE - self.c.cond - self.c.trap
    }

    /// 1 if the access table does the access.
    fn elsewhere(&self) -> AB::Expr {
        self.access() * self.c.cond
    }

    /// Word address of a linear-memory access of a word, see `address`.
    fn guest_word(&self) -> AB::Expr {
        self.c.u * power::<AB>(14) + self.c.t
    }

    /// Address of slot `i` of the frame.
    fn slot(&self, i: AB::Var) -> AB::Expr {
        self.c.fp + i.into() + number::<AB>(layout::STACK)
    }
}

/// `2^n`.
pub(super) fn power<AB: InteractionBuilder<F = Val>>(n: usize) -> AB::Expr {
    number::<AB>(1 << n)
}

fn number<AB: InteractionBuilder<F = Val>>(n: u32) -> AB::Expr {
    AB::Expr::from_u32(n)
}

/// The number whose limbs these are.
fn joined<AB: InteractionBuilder<F = Val>>(limbs: [AB::Var; 2]) -> AB::Expr {
    limbs[1] * power::<AB>(16) + limbs[0]
}

fn exprs<AB: InteractionBuilder<F = Val>>(limbs: [AB::Var; 2]) -> [AB::Expr; 2] {
    limbs.map(Into::into)
}

pub(super) fn eval<AB: InteractionBuilder<F = Val>>(builder: &mut AB) {
    let main = builder.main();
    let row: Row<AB> = Row {
        c: CpuCols::from_row(main.current_slice()),
        next: CpuCols::from_row(main.next_slice()),
    };
    boundary(builder, &row);
    decode(builder, &row);
    registers(builder, &row);
    next_pc(builder, &row);
    operands(builder, &row);
    arithmetic::eval(builder, &row);
    address(builder, &row);
    frames(builder, &row);
    result(builder, &row);
    ports(builder, &row);
    messages(builder, &row);
}

/// Public registers at both ends.
fn boundary<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let publics = builder.public_values();
    let public = |at: usize| -> AB::Expr { publics[at].into() };
    let [start, end] = [public::START, public::END]
        .map(|at| -> [AB::Expr; 4] { std::array::from_fn(|i| public(at + i)) });
    let spent = public(public::SPENT);

    let registers = [c.pc, c.fp, c.depth, c.pages];
    let mut first = builder.when_first_row();
    for (register, value) in registers.into_iter().zip(start) {
        first.assert_eq(register, value);
    }
    first.assert_eq(c.clk, number::<AB>(clock(0)));
    first.assert_zero(c.spent);
    // Nothing stands before the first row: a chained pair cannot be cut.
    first.assert_zero(row.is(Chain));

    let mut last = builder.when_last_row();
    for (register, value) in registers.into_iter().zip(end) {
        last.assert_eq(register, value);
    }
    last.assert_eq(c.spent, spent);
    // So every real row has a next one, and the rules about it bind.
    last.assert_zero(c.real);
}

/// Flags are those of the fetched instruction, see `messages`: a packed word of fewer than 2^30
/// values has one decomposition.
fn decode<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let (c, next) = (&row.c, &row.next);
    builder.assert_bools([c.real, c.oof, c.trap, c.k0, c.k1, c.cond]);
    builder.assert_bools(c.flag);
    // Real rows come first, so the row before a chained one is real.
    builder.when_transition().when(next.real).assert_one(c.real);
    // A sum of bits is zero only if all are.
    let sum: AB::Expr = c.flag.iter().map(|&f| f.into()).sum();
    builder.when(AB::Expr::ONE - c.real).assert_zero(sum + c.oof);
    // The prover may only refuse a charge that there is.
    builder.when(c.oof).assert_one(c.fuel * c.v);

    // Who may trap, with the code as next pc in `next_pc`.
    builder.when(c.trap).assert_one(row.guest() + row.any([Limit, Enter]));
    // Who asks the access table: bytes and half-words always (unless they trap), words of linear
    // memory as the prover likes (the access table is right for any alignment that it accepts),
    // other words never.
    builder.assert_zero(row.elsewhere() * c.trap);
    builder.when(row.is(Subword)).assert_zero(row.direct());
    builder.when(row.is(Priv)).assert_eq(c.cond, row.is(Subword));
}

/// All registers but the pc.
fn registers<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let (c, next) = (&row.c, &row.next);
    let mut step = builder.when_transition();
    step.assert_eq(next.clk, c.clk + number::<AB>(4));
    // At most 2^20 rows of at most 1023: no wrap.
    step.assert_eq(next.spent, c.spent + (c.real - c.oof) * c.fuel);
    let pushes = row.is(Push) * (AB::Expr::ONE - c.trap);
    step.assert_eq(next.depth, c.depth + pushes.clone() - row.is(Ret));
    // A call's upper half of b is its limit.
    step.assert_eq(
        next.fp,
        c.fp + (row.any([Jump, JumpReg]) - row.is(Push)) * (c.ib0 - c.ib1)
            + pushes * c.ib0
            + row.is(Ret) * (c.b[1] - c.fp),
    );
    let set = row.is(Pages) * row.is(Variant);
    step.assert_eq(next.pages, c.pages + set * (joined::<AB>(c.b) - c.pages));
}

/// Where the row goes.
fn next_pc<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let (c, next) = (&row.c, &row.next);
    let one = || AB::Expr::ONE;
    let follows = || next.pc - c.pc - AB::Expr::ONE;
    let mut step = builder.when_transition();

    step.when(one() - c.real).assert_eq(next.pc, c.pc);
    step.when(c.oof).assert_eq(next.pc, number::<AB>(Trap::OutOfFuel as u32));
    let code = row.guest() * number::<AB>(Trap::MemoryOutOfBounds as u32)
        + row.any([Limit, Enter]) * number::<AB>(Trap::StackOverflow as u32);
    step.when(c.trap).assert_eq(next.pc, code);

    // None of these can trap (see `may_trap`), except calls and `Enter`, which say so.
    let steers = row.any([Br, Jump, JumpReg, BrTable, Ret, Enter]);
    step.when(c.real - c.oof - steers).when(one() - c.trap).assert_zero(follows());
    // The truth is in c, already negated; of a charge it is whether it is refused.
    step.when(row.is(Br)).when(c.c[0]).assert_eq(next.pc, c.ic);
    step.when(row.is(Br)).when(one() - c.c[0]).assert_zero(follows());
    // min(a, b) is a if the subtraction borrowed. The table is part of the code: b is small.
    let (a, b) = (joined::<AB>(c.a), joined::<AB>(c.b));
    step.when(row.is(BrTable)).assert_eq(follows(), b.clone() + (a.clone() - b) * c.k1);
    step.when(row.is(Jump)).when(one() - c.trap).assert_eq(next.pc, c.ic);
    step.when(row.is(JumpReg)).when(one() - c.trap).assert_eq(next.pc, a);
    step.when(row.is(Ret)).assert_eq(next.pc, c.b[0]);
    step.when(row.is(Enter)).when(c.k1).assert_eq(next.pc, c.ic);
    step.when(row.is(Enter)).when(one() - c.trap - c.k1).assert_zero(follows());
}

/// Operands that are not read.
fn operands<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    for limb in c.a {
        builder.when(AB::Expr::ONE - row.is(ARead)).assert_zero(limb);
    }
    // A store reads a slot; a load reads memory, unless someone else does or it traps. The program
    // has zeros where an instruction has no operand b.
    let constant = AB::Expr::ONE - row.any([BRead, Load, Ret]);
    for (b, ib) in c.b.into_iter().zip([c.ib0, c.ib1]) {
        builder.when(constant.clone()).assert_eq(b, ib);
        builder.when(row.is(Load)).when(c.cond + c.trap).assert_zero(b);
    }
}

/// Accesses: alignment and bounds. `(r[0], u)` is the byte address of the last byte (of `LoadWord`
/// and `StoreWord` the word address); `r` and `t` are range-checked. As the sum of two limbs and a
/// carry, `u + 2^16 k1` is below `2^17` and not negative.
fn address<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let one = AB::Expr::ONE;
    // A word of linear memory accessed in this row is aligned, its word address being
    // t + 2^14 u. As t and r0 are below 2^16, r0 = 4 t + 3 holds over the integers.
    builder
        .when(row.guest())
        .when(row.direct())
        .assert_eq(c.r[0], c.t * number::<AB>(4) + number::<AB>(3));
    // Page u exists: no overflow, and pages - 1 - u is in range. Out of bounds: u - pages is in
    // range or, if the sum overflowed, u. Pages never exceed 2^16.
    builder.when(row.guest()).when(c.k1).assert_one(c.trap);
    let inside = c.pages - one.clone() - c.u;
    let outside = c.u - c.pages;
    builder
        .when(row.guest())
        .assert_eq(c.r[1], inside.clone() + c.trap * (outside - inside) + c.k1 * c.pages);
    // Other accesses do not overflow. Their u is below 2^16, and word addresses are below 2^30:
    // they cannot wrap around the field.
    let word = number::<AB>((1 << 14) - 1) - c.u;
    let mut private = builder.when(row.is(Priv));
    private.assert_zero(c.k1);
    private.assert_eq(c.r[1], word.clone() + row.is(Subword) * (c.u - word));
}

/// Calls and the checks of stack and depth.
fn frames<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let one = || AB::Expr::ONE;
    // depth > limit exactly if it traps: t is the distance on the side that was taken.
    let within = c.ib1 - c.depth;
    builder.when(row.is(Limit)).assert_eq(c.t, within.clone() - (within.double() + one()) * c.trap);
    // The same for the height of the stack.
    let limit = number::<AB>(layout::STACK_LIMIT);
    let within = limit.clone() - c.fp - c.ib0;
    let mut enter = builder.when(row.is(Enter));
    enter.assert_eq(c.t, within.clone() - (within.double() + one()) * c.trap);
    // It either traps or chooses a body. The fast body is allowed if r is in range.
    enter.when(c.k1).assert_zero(c.trap);
    let fast = one() - c.trap - c.k1;
    enter.assert_eq(c.r[0], fast.clone() * (number::<AB>(layout::CALL_LIMIT - 1) - c.depth));
    enter.assert_eq(c.r[1], fast * (limit - c.fp - c.ib1));
}

/// What is written. Every word has limbs below 2^16 again: `r` is range-checked, words that are kept
/// or stored come from memory, coprocessors check their results; the fuel charge, pages and truth
/// values are small. A frame's entry is a pair of field elements.
fn result<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let zero = || AB::Expr::ZERO;
    for i in 0..2 {
        let (value, b) = (c.c[i], c.b[i]);
        builder.when(row.is(Cmov)).assert_eq(value, c.c_before[i] + c.cond * (b - c.c_before[i]));
        builder.when(row.any([Add, Sub])).assert_eq(value, c.r[i]);
        builder.when(row.access()).when(row.direct()).assert_eq(value, b);
        builder.when(row.is(Pages)).assert_eq(value, [c.pages.into(), zero()][i].clone());
        let frame = [c.pc + AB::Expr::ONE, c.fp.into()];
        builder.when(row.is(Push)).assert_eq(value, frame[i].clone());
        builder.when(c.oof).assert_eq(value, [c.fuel.into(), zero()][i].clone());
    }
    // A request's first operand; the fuel table is told what was spent.
    let spent = row.is(Variant) * (c.spent + c.fuel);
    let mut asks = builder.when(row.is(Alu));
    asks.assert_eq(c.r[0], c.a[0] + spent);
    asks.assert_eq(c.u, c.a[1]);
    // Its time.
    asks.assert_eq(c.v, row.is(Timed) * c.clk);
    builder.when(row.access()).assert_eq(c.v, c.cond * c.clk);
}

/// Addresses of ports b and c; zero for a port that is not used.
fn ports<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    // A guest access has the word t + 2^14 u, any other the word r0 + 2^16 u.
    let private = || row.is(Priv);
    let other = joined::<AB>([c.r[0], c.u]);
    let word = (AB::Expr::ONE - private()) * row.guest_word() + private() * other;
    // A store reads what it stores from slot c.
    builder.assert_eq(
        c.b_addr,
        (row.is(BRead) - row.is(Store)) * row.slot(c.ib0)
            + row.is(Store) * row.slot(c.ic)
            + row.is(Load) * word.clone()
            + row.is(Ret) * (c.depth + number::<AB>(layout::FRAME - 1)),
    );
    builder.assert_eq(
        c.c_addr,
        row.is(CWrite) * row.slot(c.ic)
            + row.is(Store) * word
            + row.is(Push) * (c.depth + number::<AB>(layout::FRAME))
            + c.oof * number::<AB>(layout::reg::REFUSED_FUEL_LO),
    );
}

/// Everything that is said to other tables.
fn messages<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let [pc, ia, ib0, ib1, ic, fuel, tag]: [AB::Expr; 7] =
        [c.pc, c.ia, c.ib0, c.ib1, c.ic, c.fuel, c.tag].map(Into::into);
    let flags: AB::Expr = Flag::ALL.iter().map(|&f| row.is(f) * number::<AB>(f.bit())).sum();
    let flags = flags + c.oof * number::<AB>(program::REFUSED);
    send(builder, bus::fetch(pc, flags, ia, [ib0, ib1], ic, fuel, tag), c.real);

    let now = |after: u32| c.clk + number::<AB>(after);
    // Accesses of one row to one word have the order a, b, c in time as well.
    let a_addr = row.slot(c.ia);
    port(builder, a_addr, [c.a, c.a], c.a_time, now(0), row.is(ARead));
    let reads_b = row.any([BRead, Ret]) + row.is(Load) * row.direct();
    port(builder, c.b_addr.into(), [c.b, c.b], c.b_time, now(1), reads_b);
    let stores = row.is(Store) * row.direct();
    let writes_c = row.any([CWrite, Push]) * (AB::Expr::ONE - c.trap) + stores + c.oof;
    port(builder, c.c_addr.into(), [c.c_before, c.c], c.c_time, now(C_TIME), writes_c);

    let uses_r = row.any([Add, Sub, Ne, Lt, Slt, BrTable, Load, Store, Enter]);
    for helper in c.r {
        send(builder, bus::range16(helper.into()), uses_r.clone());
    }
    let uses_t = row.any([Slt, Load, Store, Limit, Enter]);
    send(builder, bus::range16(c.t.into()), uses_t);

    let [x, y, z] = [[c.r[0], c.u], c.b, c.c].map(exprs::<AB>);
    let asks = row.is(Alu) + row.elsewhere();
    send(builder, bus::request(c.tag.into(), c.v.into(), x, y, z), asks);
}

/// One access to memory: the word had these limbs since `before` and has others now, which is
/// later by at most 2^16.
fn port<AB: InteractionBuilder<F = Val>>(
    builder: &mut AB,
    addr: AB::Expr,
    [old, new]: [[AB::Var; 2]; 2],
    before: AB::Var,
    now: AB::Expr,
    used: AB::Expr,
) {
    receive(builder, bus::memory(addr.clone(), exprs::<AB>(old), before.into()), used.clone());
    send(builder, bus::memory(addr, exprs::<AB>(new), now.clone()), used.clone());
    send(builder, bus::range16(now - before - AB::Expr::ONE), used);
}
