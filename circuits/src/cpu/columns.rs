//! CpuCols of the `cpu` table.

use rwprove_isa::Flag;

use crate::columns;

columns! {
    /// One instruction. A column that its row's flags do not use is free: it then enters no
    /// constraint and no message.
    pub struct CpuCols {
        /// Program counter.
        pc,
        /// Frame base.
        fp,
        /// Clock of the row: `4 (i + 1)`.
        clk,
        /// Static fuel charged in this shard before the row.
        spent,
        /// Frames pushed.
        depth,
        /// Pages of linear memory.
        pages,
        /// Whether the row executes an instruction.
        real,
        /// Whether its static fuel charge is refused.
        oof,
        /// The flags of [`Flag`], all zero when not real or out of fuel.
        flag: [Flag::COUNT],
        /// Fetched: slot of operand a.
        ia,
        /// Fetched: slot of operand b or low half of the immediate.
        ib0,
        /// Fetched: high half of the immediate.
        ib1,
        /// Fetched: slot c or target pc.
        ic,
        /// Fetched: static fuel charge.
        fuel,
        /// Fetched: tag of the request.
        tag,
        /// Operand a.
        a: [2],
        /// Operand b; what port b read.
        b: [2],
        /// Result; truth value of a comparison.
        c: [2],
        /// What port c overwrote.
        c_before: [2],
        /// Time of the access before, of port a.
        a_time,
        /// The same of port b.
        b_time,
        /// The same of port c.
        c_time,
        /// Address of port b.
        b_addr,
        /// Address of port c.
        c_addr,
        /// Range-checked: sum or difference. Of an access the low limb of its address, and how far
        /// its page is from the bound.
        r: [2],
        /// Range-checked: the word of an access within its page, of calls and `Enter` how far they
        /// are from a limit; of a signed comparison the distance of one operand from zero.
        t,
        /// Not checked: high limb of an access's address or of a request's first operand; what is
        /// tested for zero; of a signed comparison whether the signs differ.
        u,
        /// Not checked: inverse of what is tested for zero, time of a request; of a signed
        /// comparison the high limb of the larger operand.
        v,
        /// Carry or borrow of the low limbs.
        k0,
        /// Carry or borrow of the high limbs, truth of a signed comparison; `Enter` goes to the
        /// deep twin.
        k1,
        /// What is tested is not zero; an access is left to the access table; of a signed
        /// comparison the smaller operand is negative.
        cond,
        /// The operation traps.
        trap,
    }
}

/// Names of the columns; those of flags are the flags' names.
pub(super) fn names() -> Vec<String> {
    let mut names = CpuCols::<()>::names();
    let first = names.iter().position(|n| n == "flag[0]").unwrap_or(0);
    for (name, flag) in names[first..].iter_mut().zip(Flag::ALL) {
        *name = flag.name().to_string();
    }
    names
}
