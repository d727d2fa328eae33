//! Deletes every constraint and every message of every table, one at a time: is there an attack
//! that is then accepted? [`rwprove_circuits::testing::delete`] says who the adversary is.
//!
//! - A constraint or a lookup is killed by a *forgery*: rows that break it and nothing else.
//! - Any other message is killed by *refusing honest* runs: they do not balance without it. That
//!   is cheap to say, so the kinds of messages are *exchanged* besides: deleted on both sides, with
//!   an attack on a whole run that is then accepted.

mod exchange;
mod honest;
mod survivors;

use std::collections::BTreeSet;

use rayon::prelude::*;
use rwprove_circuits::{
    access::Access,
    bits::Bits,
    bitwise::Bitwise,
    bytes::Bytes,
    cpu::Cpu,
    div::Div,
    fuel::Fuel,
    keccak::Keccak,
    machine::Machine,
    merkle::Merkle,
    mul::Mul,
    program::Code,
    refresh::Refresh,
    shape::Shape,
    shift::Shift,
    table::Table,
    testing::delete::{Base, Effort, Rule, System, attack, base, broken, forged, missed},
};

use crate::score::{Scale, Score};
use honest::Case;

/// From cheap to expensive.
const EFFORTS: [Effort; 3] = [
    Effort { depth: 3, breadth: 3, steps: 30, starts: 12, broken: 14 },
    Effort { depth: 6, breadth: 4, steps: 200, starts: 24, broken: 14 },
    Effort { depth: 9, breadth: 6, steps: 1500, starts: 60, broken: 14 },
];

/// Rules of one table that a quick run looks at.
const SAMPLE: usize = 48;

/// The least share of all rules that must be killed, in percent; a sample may hold more of the
/// survivors.
const WANTED: u64 = 98;

/// What became of a rule without it.
enum Fate {
    Forged,
    HonestRefused,
    Survived,
}

pub(crate) fn run(scale: &Scale) -> Score {
    let cases = honest::cases();
    let mut bench = Bench {
        scale,
        score: Score::default(),
        known: survivors::known(),
        missed: missed_by(&cases, scale),
        killed: 0,
        tried: 0,
    };
    let each = |f: &dyn Fn(&Case) -> Vec<Base>| cases.iter().flat_map(f).collect::<Vec<_>>();
    let none = |_: Rule| None;
    let forged_cpu = each(&|case| forged::cpu(&case.name, &case.shard()));
    let merkle = base::merkle(&cases[0].name, &cases[0].shard());
    let forged_merkle: Vec<_> = merkle.iter().flat_map(forged::merkle).collect();
    bench.table(&Cpu, each(&|c| base::cpu(&c.name, &c.shard())), &forged_cpu, none);
    bench.table(&Bitwise, each(&|c| base::rows(&c.name, &Bitwise, &c.shard())), &[], none);
    bench.table(&Shift, each(&|c| base::rows(&c.name, &Shift, &c.shard())), &[], none);
    bench.table(&Mul, each(&|c| base::rows(&c.name, &Mul, &c.shard())), &[], none);
    bench.table(&Div, each(&|c| base::rows(&c.name, &Div, &c.shard())), &[], none);
    bench.table(&Bits, each(&|c| base::rows(&c.name, &Bits, &c.shard())), &[], none);
    bench.table(&Access, each(&|c| base::rows(&c.name, &Access, &c.shard())), &[], none);
    bench.table(&Refresh, each(&|c| base::rows(&c.name, &Refresh, &c.shard())), &[], none);
    bench.table(&Keccak, Vec::new(), &[], forged::keccak);
    bench.table(&Fuel, each(&|c| vec![base::whole(&c.name, &Fuel, &c.shard())]), &[], none);
    bench.table(&Merkle, merkle, &forged_merkle, none);
    bench.table(&Code::new(&cases[0].program), Vec::new(), &[], none);
    bench.table(&Bytes, Vec::new(), &[], none);
    bench.exchanges();
    bench.finish()
}

/// The messages that honest runs need, by table.
fn missed_by(cases: &[Case], scale: &Scale) -> Vec<(&'static str, Rule)> {
    let wanted =
        ["coprocessors", "memory", "control", "keccak", "out of fuel", "charges", "refused"];
    let mut runs: Vec<Case> =
        cases.iter().filter(|case| wanted.contains(&case.name.as_str())).cloned().collect();
    if scale.full {
        runs.push(honest::rest());
    }
    let all = runs.par_iter().flat_map_iter(|case| {
        let machine = Machine::new(&case.program);
        let shape = Shape::for_shard(&machine, &case.shard()).unwrap();
        missed(&machine.fill_all(&case.shard(), &shape)).unwrap()
    });
    all.collect()
}

struct Bench<'a> {
    scale: &'a Scale,
    score: Score,
    known: Vec<survivors::Known>,
    missed: Vec<(&'static str, Rule)>,
    tried: u64,
    killed: u64,
}

impl Bench<'_> {
    /// Tries the rules of one table. `by_hand` are attacks on any of them, `forge` makes one for a
    /// rule that is asked for, and the search starts from `bases`.
    fn table<T: Table + Sync>(
        &mut self,
        table: &T,
        bases: Vec<Base>,
        by_hand: &[Base],
        forge: fn(Rule) -> Option<Base>,
    ) {
        let start = std::time::Instant::now();
        let system = System::new(table);
        let breaks = |base: &Base| broken(table, &base.trace, &base.publics, &base.code).unwrap();
        for base in &bases {
            assert_eq!(breaks(base), [], "{}", base.name);
        }
        let alone = |base| if let [rule] = breaks(base)[..] { Some(rule) } else { None };
        let forged: BTreeSet<Rule> = by_hand.iter().filter_map(alone).collect();
        let rules = self.sample::<T>(&system);
        let kill = |&rule: &Rule| -> Fate {
            if !system.is_local(rule) {
                let needed = self.missed.contains(&(T::NAME, rule));
                return if needed { Fate::HonestRefused } else { Fate::Survived };
            }
            if forged.contains(&rule) || forge(rule).is_some_and(|base| breaks(&base) == [rule]) {
                return Fate::Forged;
            }
            let known = !self.scale.full && self.known::<T>(rule).is_some();
            let efforts = if known { &[][..] } else { &EFFORTS[..] };
            let found = efforts.iter().any(|&effort| {
                bases.iter().any(|base| {
                    let Some(found) = attack(&system, base, rule, effort) else { return false };
                    // The search evaluates expressions; the table itself has the last word.
                    let wrong = broken(table, &found.trace, &found.publics, &base.code).unwrap();
                    assert_eq!(wrong, [rule], "{} {rule}: {found}", T::NAME);
                    true
                })
            });
            if found { Fate::Forged } else { Fate::Survived }
        };
        let fates: Vec<_> = rules.par_iter().map(kill).collect();
        let (mut forgeries, mut refusing) = (0, 0);
        for (&rule, fate) in rules.iter().zip(&fates) {
            match fate {
                Fate::Forged => forgeries += 1,
                Fate::HonestRefused => refusing += 1,
                Fate::Survived => self.survived::<T>(&system, rule),
            }
            if !matches!(fate, Fate::Survived) && self.known::<T>(rule).is_some() {
                let line = format!("survivors.txt is stale: {} {rule} is killed", T::NAME);
                self.score.failures.push(line);
            }
        }
        for known in self.known.iter().filter(|known| known.table == T::NAME) {
            let rule = system.rules().into_iter().find(|rule| rule.to_string() == known.rule);
            if rule.map(|rule| system.reads(rule).join(" ")).as_deref() != Some(known.reads) {
                let line = format!("survivors.txt is stale: {} {}", known.table, known.rule);
                self.score.failures.push(line);
            }
        }
        let (tried, killed) = (rules.len() as u64, forgeries + refusing);
        (self.tried, self.killed) = (self.tried + tried, self.killed + killed);
        self.score.add("tried", tried);
        self.score.add("killed", killed);
        self.score.add("killed_by_forgery", forgeries);
        self.score.add("killed_by_refusing_honest", refusing);
        self.score.add("survivors", tried - killed);
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("  {}: {killed} of {tried} killed ({seconds:.1} s)", T::NAME);
        self.score.notes.push(format!("{}: {killed} of {tried} killed", T::NAME));
    }

    /// All rules, or a sample that is spread evenly.
    fn sample<T: Table>(&self, system: &System) -> Vec<Rule> {
        let mut rules = system.rules();
        if !self.scale.full {
            let step = rules.len().div_ceil(SAMPLE).max(1);
            // The run that needs refreshes is long.
            rules.retain(|&rule| T::NAME != Refresh::NAME || system.is_local(rule));
            rules = rules.into_iter().step_by(step).collect();
        }
        rules
    }

    fn known<T: Table>(&self, rule: Rule) -> Option<&survivors::Known> {
        let rule = rule.to_string();
        self.known.iter().find(|known| known.table == T::NAME && known.rule == rule)
    }

    fn survived<T: Table>(&mut self, system: &System, rule: Rule) {
        let reads = system.reads(rule).join(" ");
        let line = match self.known::<T>(rule) {
            Some(known) => Ok(format!("survives: {} {rule}: {}", T::NAME, known.reason)),
            None => Err(format!("survives without a reason: {} | {rule} | {reads}", T::NAME)),
        };
        match line {
            Ok(note) => self.score.notes.push(note),
            Err(failure) => self.score.failures.push(failure),
        }
    }

    fn exchanges(&mut self) {
        let all = exchange::all(self.scale.full);
        self.score.add("exchanges_tried", all.len() as u64);
        for exchange in all {
            self.score.add("exchanges_killed", exchange.refused.is_none().into());
            if let Some(why) = exchange.refused {
                let kind = exchange.kind;
                self.score.failures.push(format!("no attack for the deletion of {kind}: {why}"));
            }
        }
    }

    fn finish(mut self) -> Score {
        if self.scale.full && self.killed * 100 < self.tried * WANTED {
            let line = format!("killed {} of {}: less than {WANTED} %", self.killed, self.tried);
            self.score.failures.push(line);
        }
        self.score
    }
}
