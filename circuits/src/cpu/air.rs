//! Constraints of the `cpu` table.
//!
//! What they rely on, and who sees to it:
//! - The fetched fields are those of the program, which lowering made: operations have the flags
//!   that `isa` gives them, a load's operand b is no slot, a chained row stands directly after its
//!   partner and is no target. So the flags of operations exclude each other, except where `isa`
//!   sets several.
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

use super::{columns::CpuCols, public};
use crate::{
    Val,
    bus::{self, receive, send},
};

/// Everything a rule needs of one row.
struct Row<AB: AirBuilder> {
    c: CpuCols<AB::Var>,
    next: CpuCols<AB::Var>,
}

impl<AB: InteractionBuilder<F = Val>> Row<AB> {
    /// The flag as an expression.
    fn is(&self, flag: Flag) -> AB::Expr {
        self.c.flag[flag as usize].into()
    }

    /// Whether one of several flags is set that exclude each other.
    fn any<const N: usize>(&self, flags: [Flag; N]) -> AB::Expr {
        flags.into_iter().map(|f| self.is(f)).sum()
    }

    /// A load or store.
    fn access(&self) -> AB::Expr {
        self.any([Load, Store])
    }

    /// An access to linear memory with bounds check: `Priv` comes only with `Load` or `Store`.
    fn guest(&self) -> AB::Expr {
        self.access() - self.is(Priv)
    }

    /// 1 if the access, if there is one, happens in this row.
    fn direct(&self) -> AB::Expr {
        AB::Expr::ONE - self.c.mis - self.c.trap
    }

    /// Word address of a linear-memory access of a word: `r / 4`, see `address`.
    fn guest_word(&self) -> AB::Expr {
        self.c.r[1] * power::<AB>(14) + self.c.t[0]
    }

    /// Address of slot `i` of the frame.
    fn slot(&self, i: AB::Var) -> AB::Expr {
        self.c.fp + i.into() + number::<AB>(layout::STACK)
    }
}

/// `2^n`.
fn power<AB: InteractionBuilder<F = Val>>(n: usize) -> AB::Expr {
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
    arithmetic(builder, &row);
    comparison(builder, &row);
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
    first.assert_zero(c.carry);
    first.assert_zero(c.link);

    let mut last = builder.when_last_row();
    for (register, value) in registers.into_iter().zip(end) {
        last.assert_eq(register, value);
    }
    last.assert_eq(c.spent, spent);
    // So every real row has a next one, and the rules about it bind.
    last.assert_zero(c.real);
}

/// Flags are those of the fetched instruction.
fn decode<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let (c, next) = (&row.c, &row.next);
    builder.assert_bools([c.real, c.oof, c.trap, c.mis, c.k0, c.k1, c.cond]);
    builder.assert_bools(c.sign);
    builder.assert_bools(c.flag);
    // Real rows come first, so the row before a chained one is real.
    builder.when_transition().when(next.real).assert_one(c.real);
    builder.when(c.oof).assert_one(c.real);
    // A sum of bits is zero only if all are.
    let executes = c.real - c.oof;
    let sum: AB::Expr = c.flag.iter().map(|&f| f.into()).sum();
    builder.assert_zero((AB::Expr::ONE - executes.clone()) * sum);
    // Fewer than 2^30 values, so the packed word has one decomposition.
    let packed: AB::Expr = Flag::ALL.iter().map(|&f| row.is(f) * number::<AB>(f.bit())).sum();
    builder.when(executes).assert_eq(c.flags, packed);

    // Who may trap, with the code as next pc in `next_pc`.
    let may_trap = row.guest() + row.any([Limit, Enter, Fuel]);
    builder.when(c.trap).assert_one(may_trap);
    // Who asks the access table: bytes and half-words always (unless they trap), words of linear
    // memory as the prover likes (the access table is right for any alignment that it accepts),
    // other words never.
    builder.when(c.mis).assert_one(row.access());
    builder.when(c.mis).assert_zero(c.trap);
    builder.when(row.is(Subword)).assert_zero(row.direct());
    builder.when(row.is(Priv)).assert_eq(c.mis, row.is(Subword));
    // The prover may only refuse a charge that there is.
    builder.when(c.oof).assert_one(c.fuel * c.inv);
}

/// All registers but the pc.
fn registers<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let (c, next) = (&row.c, &row.next);
    let mut step = builder.when_transition();
    step.assert_eq(next.clk, c.clk + number::<AB>(4));
    // At most 2^20 rows of at most 1023: no wrap.
    step.assert_eq(next.spent, c.spent + (c.real - c.oof) * c.fuel);
    step.assert_eq(next.depth, c.depth + c.push - row.is(Ret));
    // A `CallReg` without `Limit` is `JumpReg`. A call's upper half of b is its limit.
    let jump_reg = row.is(CallReg) * (AB::Expr::ONE - row.is(Limit));
    step.assert_eq(
        next.fp,
        c.fp + (row.is(Jump) + jump_reg) * (c.ib0 - c.ib1)
            + c.push * c.ib0
            + row.is(Ret) * (c.b[1] - c.fp),
    );
    let set = row.is(Pages) * row.any([BRead, BImm]);
    step.assert_eq(next.pages, c.pages + set * (joined::<AB>(c.b) - c.pages));
    // Chained rows: what the row before hands over. `link` is a sum of a few limbs, hence zero
    // only if all of them are.
    let chain: AB::Expr = next.flag[Chain as usize].into();
    step.assert_eq(next.carry, chain.clone() * c.k1);
    step.assert_eq(next.link, chain * (c.r[0] + c.r[1] + c.link));
}

/// Where the row goes.
fn next_pc<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let (c, next) = (&row.c, &row.next);
    let one = || AB::Expr::ONE;
    let follows = || next.pc - c.pc - AB::Expr::ONE;
    let mut step = builder.when_transition();

    step.when(one() - c.real).assert_eq(next.pc, c.pc);
    let out_of_fuel = number::<AB>(Trap::OutOfFuel as u32);
    step.when(c.oof).assert_eq(next.pc, out_of_fuel.clone());
    let code = row.guest() * number::<AB>(Trap::MemoryOutOfBounds as u32)
        + row.any([Limit, Enter]) * number::<AB>(Trap::StackOverflow as u32)
        + row.is(Fuel) * out_of_fuel;
    step.when(c.trap).assert_eq(next.pc, code);

    // None of these can trap (see `may_trap`), except calls and `Enter`, which say so.
    let steers = row.any([Br, Jump, BrTable, Call, CallReg, Ret, Enter]);
    step.when(c.real - c.oof - steers).when(one() - c.trap).assert_zero(follows());
    // The truth is in c, already negated.
    step.when(row.is(Br)).when(c.c[0]).assert_eq(next.pc, c.ic);
    step.when(row.is(Br)).when(one() - c.c[0]).assert_zero(follows());
    step.when(row.is(Jump)).assert_eq(next.pc, c.ic);
    // min(a, b) is a if the subtraction borrowed. The table is part of the code: b is small.
    let (a, b) = (joined::<AB>(c.a), joined::<AB>(c.b));
    step.when(row.is(BrTable)).assert_eq(follows(), b.clone() + (a.clone() - b) * c.k1);
    step.when(row.is(Call)).when(one() - c.trap).assert_eq(next.pc, c.ic);
    step.when(row.is(CallReg)).when(one() - c.trap).assert_eq(next.pc, a);
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
    // The immediate of an access is part of its address, see `address`.
    let immediate = row.is(BImm) * (AB::Expr::ONE - row.access());
    // A store reads a slot; a load reads memory, unless someone else does or it traps.
    let absent = AB::Expr::ONE - row.any([BRead, Load, Ret, Spent]) - immediate.clone();
    let charged = [c.spent + c.fuel, AB::Expr::ZERO];
    for ((b, ib), charged) in c.b.into_iter().zip([c.ib0, c.ib1]).zip(charged) {
        builder.when(immediate.clone()).assert_eq(b, ib);
        builder.when(absent.clone()).assert_zero(b);
        builder.when(row.is(Load)).when(c.mis + c.trap).assert_zero(b);
        builder.when(row.is(Spent)).assert_eq(b, charged);
    }
}

/// `r` is a sum or a difference; all of `r` is range-checked where these rules use it.
fn arithmetic<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let [k0, k1] = [c.k0 * power::<AB>(16), c.k1 * power::<AB>(16)];
    let mut add = builder.when(row.is(Add));
    add.assert_eq(c.a[0] + c.b[0] + c.carry, c.r[0] + k0.clone());
    add.assert_eq(c.a[1] + c.b[1] + c.k0, c.r[1] + k1.clone());

    let unsigned = row.any([Sub, Eq, Lt, BrTable]);
    let signed = row.is(Slt);
    builder
        .when(unsigned.clone() + signed.clone())
        .assert_eq(c.b[0] + c.r[0] + c.carry, c.a[0] + k0.clone());
    builder.when(unsigned).assert_eq(c.b[1] + c.r[1] + c.k0, c.a[1] + k1.clone());
    // Signed order is unsigned order with the sign bits turned. t is range-checked here, which
    // leaves one value for each sign.
    let mut slt = builder.when(signed);
    for ((limb, t), sign) in [c.a[1], c.b[1]].into_iter().zip(c.t).zip(c.sign) {
        slt.assert_eq(t, limb + power::<AB>(15) - sign * power::<AB>(16));
    }
    slt.assert_eq(c.t[1] + c.r[1] + c.k0, c.t[0] + k1.clone());

    // The address of an access: a + immediate.
    let mut access = builder.when(row.access());
    access.assert_eq(c.a[0] + c.ib0, c.r[0] + k0);
    access.assert_eq(c.a[1] + c.ib1 + c.k0, c.r[1] + k1);
}

/// Truth values.
fn comparison<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    // Sums of limbs that are in range: zero only if all limbs are. With x = 0 the truth is forced
    // by the product with the inverse, with x ≠ 0 by the product with x.
    let difference = c.r[0] + c.r[1] + c.link;
    builder.when(row.is(Eq)).assert_eq(c.cond, AB::Expr::ONE - difference.clone() * c.inv);
    builder.when(row.is(Eq)).when(c.cond).assert_zero(difference);
    let condition = c.a[0] + c.a[1];
    builder.when(row.is(Cmov)).assert_eq(c.cond, condition.clone() * c.inv);
    builder.when(row.is(Cmov)).when(AB::Expr::ONE - c.cond).assert_zero(condition);
    builder.when(row.any([Lt, Slt])).assert_eq(c.cond, c.k1);
    // The result of a comparison, negated where the operation says so; branches read it as well.
    let negated = c.cond + row.is(Neg) - (row.is(Neg) * c.cond).double();
    let mut compares = builder.when(row.any([Eq, Lt, Slt]));
    compares.assert_eq(c.c[0], negated);
    compares.assert_zero(c.c[1]);
}

/// Accesses: alignment and bounds. `r` is the byte address of the last byte (of `LoadWord` and
/// `StoreWord` the word address); `r` and `t` are range-checked.
fn address<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let one = AB::Expr::ONE;
    // A word of linear memory accessed in this row is aligned, its word address being
    // t0 + 2^14 r1. As t0 and r0 are below 2^16, r0 = 4 t0 + 3 holds over the integers.
    builder
        .when(row.guest())
        .when(row.direct())
        .assert_eq(c.r[0], c.t[0] * number::<AB>(4) + number::<AB>(3));
    // Page r1 exists: pages - 1 - r1 is in range. Out of bounds: the sum overflowed, or
    // r1 - pages is in range. A sum that overflowed must trap, so `trap - k1` is "traps without
    // overflow". Pages never exceed 2^16.
    builder.when(row.guest()).when(c.k1).assert_one(c.trap);
    builder.when(row.guest()).assert_eq(
        c.t[1],
        (one.clone() - c.trap) * (c.pages - one.clone() - c.r[1])
            + (c.trap - c.k1) * (c.r[1] - c.pages),
    );
    // Other accesses do not overflow, and word addresses are below 2^30: they cannot wrap around
    // the field.
    builder.when(row.is(Priv)).assert_zero(c.k1);
    builder
        .when(row.is(Priv))
        .when(one - row.is(Subword))
        .assert_eq(c.t[1], number::<AB>((1 << 14) - 1) - c.r[1]);
}

/// Calls and the checks of stack and depth.
fn frames<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let one = || AB::Expr::ONE;
    let pushes = row.is(Call) + row.is(CallReg) * row.is(Limit);
    builder.assert_eq(c.push, pushes * (one() - c.trap));
    // depth > limit exactly if it traps: t0 is the distance on the side that was taken.
    let within = c.ib1 - c.depth;
    builder
        .when(row.is(Limit))
        .assert_eq(c.t[0], within.clone() - (within.double() + one()) * c.trap);
    // The same for the height of the stack.
    let limit = number::<AB>(layout::STACK_LIMIT);
    let within = limit.clone() - c.fp - c.ib0;
    let mut enter = builder.when(row.is(Enter));
    enter.assert_eq(c.t[0], within.clone() - (within.double() + one()) * c.trap);
    // It either traps or chooses a body. The fast body is allowed if t1 and r0 are in range.
    enter.when(c.k1).assert_zero(c.trap);
    let fast = one() - c.trap - c.k1;
    enter.assert_eq(c.t[1], fast.clone() * (limit - c.fp - c.ib1));
    enter.assert_eq(c.r[0], fast * (number::<AB>(layout::CALL_LIMIT - 1) - c.depth));
}

/// What is written. Every word has limbs below 2^16 again: `r` is range-checked, moved words come
/// from memory or the program, coprocessors check their results; the fuel charge, pages and truth
/// values are small. A frame's entry is a pair of field elements.
fn result<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let zero = || AB::Expr::ZERO;
    let one = || AB::Expr::ONE;
    for i in 0..2 {
        let (value, b) = (c.c[i], c.b[i]);
        builder.when(row.is(Mov)).assert_eq(value, b);
        builder.when(row.is(Cmov)).assert_eq(value, c.c_before[i] + c.cond * (b - c.c_before[i]));
        builder.when(row.any([Add, Sub])).assert_eq(value, c.r[i]);
        builder.when(row.access()).when(row.direct()).assert_eq(value, b);
        builder.when(row.is(Pages)).assert_eq(value, [c.pages.into(), zero()][i].clone());
        builder.when(c.push).assert_eq(value, [c.pc + one(), c.fp.into()][i].clone());
        builder.when(c.oof).assert_eq(value, [c.fuel.into(), zero()][i].clone());
        // A request's first operand is in r, of accesses the address.
        builder.when(row.is(Alu)).assert_eq(c.r[i], c.a[i]);
    }
    builder.when(row.is(Fuel)).assert_eq(c.trap, c.c[0]);
    builder.assert_eq(c.req_time, (row.is(Timed) + c.mis) * c.clk);
}

/// Addresses of ports b and c; zero for a port that is not used.
fn ports<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    // A guest access has the word t0 + 2^14 r1, any other the word r.
    let private = || row.is(Priv);
    let word = (AB::Expr::ONE - private()) * row.guest_word() + private() * joined::<AB>(c.r);
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
            + c.push * (c.depth + number::<AB>(layout::FRAME))
            + c.oof * number::<AB>(layout::reg::REFUSED_FUEL_LO),
    );
}

/// Everything that is said to other tables.
fn messages<AB: InteractionBuilder<F = Val>>(builder: &mut AB, row: &Row<AB>) {
    let c = &row.c;
    let [pc, flags, ia, ib0, ib1, ic, fuel, tag]: [AB::Expr; 8] =
        [c.pc, c.flags, c.ia, c.ib0, c.ib1, c.ic, c.fuel, c.tag].map(Into::into);
    send(builder, bus::fetch(pc, flags, ia, [ib0, ib1], ic, fuel, tag), c.real);

    let now = |after: u32| c.clk + number::<AB>(after);
    // Accesses of one row to one word have the order a, b, c in time as well.
    let a_addr = row.slot(c.ia);
    port(builder, a_addr, [c.a, c.a], c.a_time, now(0), row.is(ARead));
    let reads_b = row.any([BRead, Ret]) + row.is(Load) * row.direct();
    port(builder, c.b_addr.into(), [c.b, c.b], c.b_time, now(1), reads_b);
    let writes_c =
        row.is(CWrite) * (AB::Expr::ONE - c.trap) + row.is(Store) * row.direct() + c.push + c.oof;
    port(builder, c.c_addr.into(), [c.c_before, c.c], c.c_time, now(C_TIME), writes_c);

    let uses_r = row.any([Add, Sub, Eq, Lt, Slt, BrTable, Load, Store, Enter]);
    let uses_t = row.any([Slt, Load, Store, Limit, Enter]);
    for (helper, used) in c.r.into_iter().zip([uses_r.clone(), uses_r]) {
        send(builder, bus::range16(helper.into()), used);
    }
    for (helper, used) in c.t.into_iter().zip([uses_t.clone(), uses_t]) {
        send(builder, bus::range16(helper.into()), used);
    }

    let asks = row.is(Alu) + c.mis;
    let [x, y, z] = [c.r, c.b, c.c].map(exprs::<AB>);
    send(builder, bus::request(c.tag.into(), c.req_time.into(), x, y, z), asks);
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
