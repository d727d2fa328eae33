//! What each rWasm instruction does to the height of the stack.

use rwasm::Opcode;

/// Slots that a plain instruction (no control flow, no host call) takes and leaves.
///
/// `None` for control flow, host calls and the float opcodes, which rwasm does not execute.
pub(super) fn of(op: &Opcode) -> Option<(u32, u32)> {
    use Opcode::*;
    Some(match *op {
        ConsumeFuel(_) | SignatureCheck(_) | StackCheck(_) | DataDrop(_) | ElemDrop(_) => (0, 0),
        LocalGet(_) | RefFunc(_) | I32Const(_) | GlobalGet(_) | MemorySize | TableSize(_) => (0, 1),
        LocalTee(_) => (1, 1),
        LocalSet(_) | Drop | GlobalSet(_) | ConsumeFuelStack => (1, 0),
        BulkConst(n) => (0, n),
        BulkDrop(n) => (n, 0),
        I64Const32S(_) | I64Const32U(_) => (0, 2),
        Select => (3, 1),
        I32Load(_) | I32Load8S(_) | I32Load8U(_) | I32Load16S(_) | I32Load16U(_) => (1, 1),
        I32Store(_) | I32Store8(_) | I32Store16(_) => (2, 0),
        MemoryGrow | TableGet(_) => (1, 1),
        MemoryFill | MemoryCopy | MemoryInit(_) => (3, 0),
        TableGrow(_) => (2, 1),
        TableFill(_) | TableCopy(..) | TableInit(_) => (3, 0),
        TableSet(_) => (2, 0),
        I32Eqz | I32Clz | I32Ctz | I32Popcnt | I32WrapI64 | I32Extend8S | I32Extend16S => (1, 1),
        I32Eq | I32Ne | I32LtS | I32LtU | I32GtS | I32GtU | I32LeS | I32LeU | I32GeS | I32GeU => {
            (2, 1)
        }
        I32Add | I32Sub | I32Mul | I32DivS | I32DivU | I32RemS | I32RemU => (2, 1),
        I32And | I32Or | I32Xor | I32Shl | I32ShrS | I32ShrU | I32Rotl | I32Rotr => (2, 1),
        I32Mul64 | I32Add64 | I32Sub64 => (2, 2),
        I32And64 | I32Or64 | I32Xor64 => (4, 2),
        I64Add128 | I64Sub128 => (8, 4),
        I64MulWideS | I64MulWideU => (4, 4),
        _ => return None,
    })
}
