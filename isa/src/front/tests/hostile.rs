use super::super::Preset;
use super::*;

/// A small generator: the tests need no quality, only the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

const MODULE: &str = r#"(module
    (import "fluentbase_v1preview" "_write" (func $write (param i32 i32)))
    (import "fluentbase_v1preview" "_exit" (func $exit (param i32)))
    (type $t (func (param i64) (result i64)))
    (memory (export "memory") 1)
    (global $g (mut i64) (i64.const 5))
    (table $t0 3 funcref) (elem (i32.const 0) $f $r)
    (data (i32.const 3) "hello")
    (func $f (type $t) (i64.div_s (local.get 0) (i64.const 3)))
    (func $r (type $t) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))
    (func (export "main") (local i32 i64)
        (loop $l
            (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9))))
        (global.set $g (call_indirect (type $t) (global.get $g) (local.get 0)))
        (block $a (block $b (br_table $a $b (local.get 0))) (call $exit (i32.const 3)))
        (memory.fill (i32.const 1) (local.get 0) (i32.const 2))
        (table.set $t0 (i32.const 1) (ref.func $f))
        (local.set 1 (select (local.get 1) (global.get $g) (i64.eqz (local.get 1))))
        (call $write (i32.const 0) (i32.const 4)))
    (func (export "deploy")))"#;

/// Whatever the bytes, they are refused or lowered: nothing panics.
fn survives(bytes: &[u8]) -> bool {
    match load(bytes, &Preset::Contract) {
        Ok(module) => lower(&module).is_ok(),
        Err(_) => false,
    }
}

#[test]
fn changed_bytes_do_no_harm() {
    let bytes = load_wat(MODULE, &Preset::Contract).unwrap().rwasm.serialize();
    assert!(survives(&bytes));
    let mut numbers = Numbers(1);
    for _ in 0..3000 {
        let mut changed = bytes.clone();
        for _ in 0..1 + numbers.below(3) {
            let at = numbers.below(changed.len());
            changed[at] = if numbers.below(2) == 0 { numbers.below(256) as u8 } else { 0xff };
        }
        survives(&changed);
    }
}

#[test]
fn changed_instructions_do_no_harm() {
    let module = load_wat(MODULE, &Preset::Contract).unwrap().rwasm;
    let mut numbers = Numbers(2);
    let mut lowered = 0;
    for _ in 0..4000 {
        let mut code = module.code_section.instr.clone();
        for _ in 0..1 + numbers.below(3) {
            let (at, from) = (numbers.below(code.len()), numbers.below(code.len()));
            code[at] = match numbers.below(8) {
                0 => Opcode::LocalGet([1, 2, 40, u32::MAX][numbers.below(4)]),
                1 => Opcode::CallInternal(numbers.below(code.len()) as u32),
                2 => Opcode::ReturnCallInternal(numbers.below(code.len()) as u32),
                3 => Opcode::Br((numbers.below(40) as i32 - 20).into()),
                4 => Opcode::BulkDrop(numbers.below(4) as u32),
                _ => code[from],
            };
        }
        let changed = RwasmModuleBuilder::new(InstructionSet { instr: code })
            .with_data_section(&module.data_section)
            .with_elem_section(&module.elem_section)
            .with_source_pc(module.source_pc)
            .build();
        lowered += usize::from(survives(&changed.serialize()));
    }
    assert!(lowered > 50, "{lowered} of the changed modules could be lowered");
}
