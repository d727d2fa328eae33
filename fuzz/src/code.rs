//! Edits of code: instructions of honest modules, changed, moved and mixed, so that many get past
//! the first checks.

use std::sync::OnceLock;

use rwasm::{InstructionSet, Opcode, RwasmModule, RwasmModuleBuilder};
use rwprove_isa::front::load;

/// Most edits of one module.
const MOST: usize = 24;
/// Numbers for operands.
const NUMBERS: [u32; 12] = [0, 1, 2, 3, 7, 31, 255, 1023, 8205, 0x7fff_ffff, 0x8000_0000, u32::MAX];

fn bases() -> &'static [RwasmModule] {
    static BASES: OnceLock<Vec<RwasmModule>> = OnceLock::new();
    BASES.get_or_init(|| {
        let loaded = crate::fixtures().into_iter().filter_map(|(wasm, p)| load(&wasm, &p).ok());
        loaded.map(|module| module.rwasm).filter(|m| m.code_section.len() < 4000).collect()
    })
}

/// The bytes of a module with the edits that `input` names: a byte for the base, then six each.
pub fn module(input: &[u8]) -> Vec<u8> {
    let (base, edits) = input.split_first().unwrap_or((&0, &[]));
    let base = &bases()[usize::from(*base) % bases().len()];
    let mut code = base.code_section.instr.clone();
    for edit in edits.chunks_exact(6).take(MOST) {
        let [kind, a, b, c, d, value] = [0, 1, 2, 3, 4, 5].map(|i| edit[i]);
        let at = usize::from(u16::from_le_bytes([a, b])) % code.len();
        let from = usize::from(u16::from_le_bytes([c, d])) % code.len();
        let number = NUMBERS[usize::from(value) % NUMBERS.len()];
        let target = usize::from(u16::from_le_bytes([c, d])) % (code.len() + 1);
        let offset = i32::from(value as i8);
        match kind % 20 {
            0 => code[at] = Opcode::LocalGet(number),
            1 => code[at] = Opcode::LocalSet(number),
            2 => code[at] = Opcode::CallInternal(target as u32),
            3 => code[at] = Opcode::ReturnCallInternal(target as u32),
            4 => code[at] = Opcode::Br(offset.into()),
            5 => code[at] = Opcode::BrIfNez(offset.into()),
            6 => code[at] = Opcode::BulkDrop(number),
            7 => code[at] = Opcode::BulkConst(number),
            8 => code[at] = Opcode::StackCheck(number),
            9 => code[at] = Opcode::I32Const(number.into()),
            10 => code[at] = Opcode::BrTable(number),
            11 => code[at] = Opcode::CallIndirect(number),
            12 => code[at] = Opcode::Call(number),
            13 => code[at] = Opcode::ConsumeFuel(number),
            14 => code[at] = Opcode::I32Load(number),
            15 => code[at] = Opcode::I32Store(number),
            16 => {
                drop(code.splice(at..at, code[from..].iter().copied().take(8).collect::<Vec<_>>()))
            }
            17 => drop(code.drain(at..(at + usize::from(value % 4)).min(code.len() - 1))),
            _ => code[at] = code[from],
        }
        if code.is_empty() {
            code.push(Opcode::Return);
        }
    }
    RwasmModuleBuilder::new(InstructionSet { instr: code })
        .with_data_section(&base.data_section)
        .with_elem_section(&base.elem_section)
        .with_source_pc(base.source_pc)
        .build()
        .serialize()
}
