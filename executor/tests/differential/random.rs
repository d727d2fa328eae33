//! Random programs: typed, terminating, and full of what lowering has to get right — expressions
//! that live across branches and calls, i64 operators, locals of all kinds, traps, and the limits of
//! stack and call depth.

use rwprove_executor::{Input, Options, Rows, Run, audit, cold, instantiate};
use rwprove_fixtures::oracle::Host;
use rwprove_isa::front::Preset;

use crate::{
    MAX_ROWS,
    ours::{self, Compiled},
};

/// xorshift64*: the same programs in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % n
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }

    fn number(&mut self) -> u64 {
        let edges = [0, 1, 2, 31, 32, 63, 0x7f, 0x80, 0xffff, 0x7fff_ffff, 0x8000_0000];
        let wide = [u32::MAX as u64, 1 << 32, i64::MAX as u64, 1 << 63, u64::MAX];
        match self.below(4) {
            0 => edges[self.below(edges.len() as u64) as usize],
            1 => wide[self.below(wide.len() as u64) as usize],
            2 => self.below(100),
            _ => self.below(1 << 40) << 24 | self.below(1 << 24),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    I32,
    I64,
}
use Type::{I32, I64};

impl Type {
    fn name(self) -> &'static str {
        if self == I32 { "i32" } else { "i64" }
    }
}

/// Locals of every function: two parameters and more; loops count in locals of their own.
const LOCALS: [(&str, Type); 6] =
    [("$p", I32), ("$q", I64), ("$a", I32), ("$b", I32), ("$x", I64), ("$y", I64)];
const FUNCTIONS: u64 = 4;
const LOOPS: usize = 3;

struct Source {
    random: Random,
    /// The function that is being written; it calls only later ones.
    function: u64,
    loops: usize,
    blocks: usize,
}

impl Source {
    fn local(&mut self, ty: Type) -> &'static str {
        let fit: Vec<_> = LOCALS.iter().filter(|local| local.1 == ty).map(|l| l.0).collect();
        self.random.pick(&fit)
    }

    fn call(&mut self, depth: u32) -> Option<String> {
        let later = FUNCTIONS - 1 - self.function;
        if later == 0 || self.loops > 1 {
            return None;
        }
        let (p, q) = (self.expr(I32, depth), self.expr(I64, depth));
        if self.random.below(3) == 0 {
            // Elements 1 to 3 are functions, 4 is one of another type, 5 is null.
            let to = 1 + self.function + self.random.below(later) + self.random.below(20) / 18;
            return Some(format!("(call_indirect (type $f) {p} {q} (i32.const {to}))"));
        }
        let to = self.function + 1 + self.random.below(later);
        Some(format!("(call $f{to} {p} {q})"))
    }

    fn expr(&mut self, ty: Type, depth: u32) -> String {
        let t = ty.name();
        if depth == 0 {
            return match self.random.below(3) {
                0 => format!("({t}.const {})", self.constant(ty)),
                _ => format!("(local.get {})", self.local(ty)),
            };
        }
        let d = depth - 1;
        match self.random.below(14) {
            0 => {
                let op = self.random.pick(&["clz", "ctz", "popcnt", "extend8_s", "extend16_s"]);
                format!("({t}.{op} {})", self.expr(ty, d))
            }
            1 if ty == I32 => {
                let from = self.random.pick(&["i32.wrap_i64", "i64.eqz"]);
                format!("({from} {})", self.expr(I64, d))
            }
            1 => {
                let op = self.random.pick(&["extend_i32_s", "extend_i32_u"]);
                format!("(i64.{op} {})", self.expr(I32, d))
            }
            2 if ty == I32 => {
                let of = if self.random.below(2) == 0 { I32 } else { I64 };
                const OPS: [&str; 10] =
                    ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
                let op = self.random.pick(&OPS);
                format!("({}.{op} {} {})", of.name(), self.expr(of, d), self.expr(of, d))
            }
            2 => format!("(i64.extend32_s {})", self.expr(I64, d)),
            3 => {
                let (a, b, c) = (self.expr(ty, d), self.expr(ty, d), self.expr(I32, d));
                format!("(select {a} {b} {c})")
            }
            4 => {
                let ops32: &[&str] = &["load", "load8_s", "load8_u", "load16_s", "load16_u"];
                let op = match ty {
                    I32 => self.random.pick(ops32),
                    I64 => {
                        self.random.pick(&["load", "load8_s", "load16_u", "load32_s", "load32_u"])
                    }
                };
                format!("({t}.{op} offset={} {})", self.random.below(20), self.address(d))
            }
            5 => {
                let (c, a, b) = (self.expr(I32, d), self.expr(ty, d), self.expr(ty, d));
                format!("(if (result {t}) {c} (then {a}) (else {b}))")
            }
            6 => format!("(local.tee {} {})", self.local(ty), self.expr(ty, d)),
            7 => format!("(global.get $g{})", t),
            8 if ty == I64 => self.call(d).unwrap_or_else(|| self.expr(ty, d)),
            9 => {
                self.blocks += 1;
                let label = format!("$v{}", self.blocks);
                let (first, cond) = (self.expr(ty, d), self.expr(I32, d));
                let (statement, other) = (self.statement(d), self.expr(ty, d));
                format!(
                    "(block {label} (result {t}) (drop (br_if {label} {first} {cond})) {statement} {other})"
                )
            }
            _ => {
                const OPS: [&str; 15] = [
                    "add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl",
                    "rotr", "div_u", "rem_u", "div_s", "rem_s",
                ];
                let op = self.random.pick(&OPS);
                let (a, mut b) = (self.expr(ty, d), self.expr(ty, d));
                // Most programs should not end with a division by zero.
                if (op.starts_with("div") || op.starts_with("rem")) && self.random.below(20) != 0 {
                    b = format!("({t}.or {b} ({t}.const 1))");
                }
                format!("({t}.{op} {a} {b})")
            }
        }
    }

    fn constant(&mut self, ty: Type) -> String {
        let number = self.random.number();
        if ty == I32 { (number as i32).to_string() } else { (number as i64).to_string() }
    }

    /// Mostly inside the one page of memory.
    fn address(&mut self, depth: u32) -> String {
        let inner = self.expr(I32, depth);
        match self.random.below(30) {
            0 => inner,
            1 => format!("(i32.or {inner} (i32.const 65520))"),
            _ => format!("(i32.and {inner} (i32.const 0xff))"),
        }
    }

    fn statement(&mut self, depth: u32) -> String {
        let ty = if self.random.below(2) == 0 { I32 } else { I64 };
        let (t, d) = (ty.name(), depth.saturating_sub(1));
        if depth == 0 {
            return format!("(local.set {} {})", self.local(ty), self.expr(ty, 1));
        }
        match self.random.below(12) {
            0 => {
                let op = match ty {
                    I32 => self.random.pick(&["store", "store8", "store16"]),
                    I64 => self.random.pick(&["store", "store8", "store16", "store32"]),
                };
                let (at, value) = (self.address(d), self.expr(ty, d));
                format!("({t}.{op} offset={} {at} {value})", self.random.below(9))
            }
            1 => format!("(global.set $g{t} {})", self.expr(ty, d)),
            2 => {
                let (c, a, b) = (self.expr(I32, d), self.body(d), self.body(d));
                format!("(if {c} (then {a}) (else {b}))")
            }
            3 if self.loops < LOOPS => {
                self.loops += 1;
                let (n, counter) = (1 + self.random.below(5), format!("$k{}", self.loops));
                let body = self.body(d);
                self.loops -= 1;
                format!(
                    "(local.set {counter} (i32.const {n})) (loop $l{counter} {body} (br_if \
                     $l{counter} (local.tee {counter} (i32.sub (local.get {counter}) (i32.const 1)))))"
                )
            }
            4 => {
                self.blocks += 1;
                let label = format!("$b{}", self.blocks);
                let (first, cond, then) = (self.body(d), self.expr(I32, d), self.body(d));
                format!("(block {label} {first} (br_if {label} {cond}) {then})")
            }
            5 => {
                self.blocks += 2;
                let (a, b) = (format!("$b{}", self.blocks), format!("$c{}", self.blocks));
                let (index, one, two) = (self.expr(I32, d), self.body(d), self.body(d));
                format!("(block {a} (block {b} (br_table {b} {a} {b} {a} {index})) {one}) {two}")
            }
            6 => format!("(drop {})", self.expr(ty, d)),
            7 if self.random.below(10) == 0 => {
                let (c, value) = (self.expr(I32, d), self.expr(I64, d));
                format!("(if {c} (then (return {value})))")
            }
            8 if self.random.below(10) == 0 => {
                let n = self.random.below(40);
                let (a, b) = (self.address(0), self.address(0));
                let op = self.random.pick(&["copy", "fill"]);
                format!("(memory.{op} {a} {b} (i32.const {n}))")
            }
            _ => format!("(local.set {} {})", self.local(ty), self.expr(ty, depth)),
        }
    }

    fn body(&mut self, depth: u32) -> String {
        let n = 1 + self.random.below(3);
        (0..n).map(|_| self.statement(depth)).collect::<Vec<_>>().join("\n")
    }

    fn module(seed: u64) -> String {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut source = Source { random, function: 0, loops: 0, blocks: 0 };
        let (mut functions, mut names) = (String::new(), String::new());
        let locals: String =
            LOCALS[2..].iter().map(|(name, ty)| format!("(local {name} {})", ty.name())).collect();
        let counters: String = (1..=LOOPS).map(|i| format!("(local $k{i} i32)")).collect();
        for function in 0..FUNCTIONS {
            source.function = function;
            let depth = if function == 0 { 4 } else { 3 };
            let (body, result) = (source.body(depth), source.expr(I64, depth));
            functions += &format!(
                "(func $f{function} (param $p i32) (param $q i64) (result i64) {locals} \
                 {counters}\n{body}\n{result})\n"
            );
            names += &format!("$f{function} ");
        }
        let pad = "(local i32)".repeat(padding(seed) as usize);
        format!(
            "(module (type $f (func (param i32 i64) (result i64))) (memory 1)
             (global $gi32 (mut i32) (i32.const 7)) (global $gi64 (mut i64) (i64.const -7))
             (table 6 funcref) (elem (i32.const 0) {names} $other)
             (data (i32.const 3) \"some bytes to start from\")
             (func $other)
             {functions}
             (func $down (export \"run\") (param $n i32) (param $p i32) (param $q i64) (result i64) {pad}
               (if (result i64) (local.get $n)
                 (then (call $down (i32.sub (local.get $n) (i32.const 1)) (local.get $p) (local.get $q)))
                 (else (call $f0 (local.get $p) (local.get $q))))))"
        )
    }
}

/// Locals of the recursion that the random code runs at the bottom of.
fn padding(seed: u64) -> u64 {
    [0, 50, 200][seed as usize % 3]
}

/// How deep the recursion goes: not at all, or to where the frames or the stack end.
fn depth(random: &mut Random, seed: u64) -> u32 {
    let slots = padding(seed) + 8;
    let most = (8205 / slots).min(1024);
    if random.below(2) == 0 { 0 } else { (most - random.below(most / 16 + 6) + 3) as u32 }
}

#[test]
fn random_programs() {
    let limits = Rows { cpu: 1 << 10, keccak: 20, merkle: 1000, ..Rows::each(500) };
    let programs = std::env::var("RANDOM_PROGRAMS").map_or(400, |n| n.parse().unwrap());
    let (mut wrong, mut runs) = (Vec::new(), 0);
    let mut ends = std::collections::BTreeMap::<String, usize>::new();
    for seed in 1..=programs {
        let text = Source::module(seed);
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let compiled = Compiled::new(&wasm, &Preset::Entry { name: "run".into() }).unwrap();
        let (module, results) = (&compiled.module.rwasm, compiled.results());
        let warm = instantiate(&compiled.program, compiled.init).unwrap();
        let cold = cold(&compiled.program, compiled.init);
        let mut random = Random(seed);
        let mut limit = None;
        for call in 0..4 {
            let (p, q) = (random.number() as u32, random.number());
            let args = [depth(&mut random, seed), p, q as u32, (q >> 32) as u32];
            let mut vm = ours::vm(Host::default(), limit);
            if vm.instantiate(module).is_err() {
                continue; // out of fuel, and then there is no instance to compare
            }
            let (exit, values) = vm.call(module, &args, results);
            let expected = vm.end(exit, values);
            let bytes = args.iter().flat_map(|slot| slot.to_le_bytes()).collect();
            let input = Input { bytes, state: 0, fuel_limit: limit };
            let program = if call % 2 == 0 { &warm } else { &cold };
            let found = ours::end(&ours::run(program, &input), results);
            runs += 1;
            if let Some(difference) = expected.difference(&found) {
                wrong.push(format!("seed {seed} args {args:x?} fuel {limit:?}: {difference}"));
            }
            *ends.entry(format!("{:?}", expected.exit)).or_default() += 1;
            if call == 0 && seed % 8 == 0 {
                let options = Options { limits: vec![limits], max_rows: MAX_ROWS };
                let run = Run::new(program, &input, options).unwrap();
                for record in run {
                    let record = record.unwrap();
                    audit(&record, program).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                }
            }
            // The next call runs out of fuel somewhere.
            limit = Some(expected.fuel - random.below(1 + expected.fuel - warm.fuel));
        }
    }
    println!("{runs} random runs, {} differences; {ends:?}", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
