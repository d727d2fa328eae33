//! The official test suite. Every module lives once in rwasm's machine and once in ours, and every
//! call of the script goes to both; state is carried from call to call.

use std::collections::HashMap;

use rwprove_executor::{Input, cold, instantiate};
use rwprove_fixtures::{
    Exit, exported_functions,
    oracle::{Host, Vm},
    suite::{self, Action, Script, Step},
};
use rwprove_isa::{
    Program,
    front::{LoadError, Preset},
    layout::{GLOBAL, SPONGE, STACK},
};

use crate::ours::{self, Compiled};

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
        let name = exported_functions(&wasm).into_iter().next();
        let compiled = compile(&wasm, name.as_deref(), at, counts)?;
        counts.modules += 1;
        let mut vm = ours::vm(Host::default(), None);
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
        let (exit, results) = self.vm.call(&compiled.module.rwasm, args, slots);
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

/// Does a step; `None` if it is not about a module that is there.
fn run(
    step: &Step,
    script: &Script,
    instances: &mut HashMap<usize, Instance>,
    counts: &mut Counts,
) -> Option<()> {
    let at = format!("{}:{}", script.name, step.line);
    match &step.action {
        Action::Instantiate { module } => {
            match Instance::new(script.modules[*module].clone(), &at, counts) {
                Some(Ok(instance)) => {
                    instances.insert(*module, instance);
                }
                Some(Err(exit)) => {
                    if let Some(expected) = &step.expected {
                        counts.assertion(expected.holds(exit, &[]), true);
                    }
                }
                None => counts.not_compiled += 1,
            }
        }
        Action::Call { module, name, args } => {
            let instance = instances.get_mut(module)?;
            let (exit, results, same) = instance.call(name, args, &at, counts)?;
            if let Some(expected) = &step.expected {
                counts.assertion(expected.holds(exit, &results), same);
            }
        }
        Action::Other => return None,
    }
    Some(())
}

fn check(scripts: impl Iterator<Item = Script>) -> Counts {
    let mut counts = Counts::default();
    for script in scripts {
        let mut instances = HashMap::new();
        for step in &script.steps {
            let done = run(step, &script, &mut instances, &mut counts);
            counts.skipped += usize::from(done.is_none());
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
    let counts = check(suite::version_2());
    assert!(counts.held > 8000 && counts.held == counts.held_in_ours);
}

#[test]
fn proposals() {
    let counts = check(suite::proposals());
    assert!(counts.held > 200 && counts.held == counts.held_in_ours);
}
