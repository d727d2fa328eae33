//! Whether two terms are equal for all values of their leaves.
//!
//! Terms are equal if they are the same term, or the same function of equal arguments. Where the
//! two sides compute a value in different ways (shifts, rotations and signed divisions of 64-bit
//! numbers, products of 128 bits) both are *evaluated* on many operands, chosen and random: this is
//! a test and no proof, see `docs/spec/validator.md`. What has been found once for a pair of
//! expressions is remembered for all blocks.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::term::{Fun, Node, Term, Terms, commutes, eval};

/// Most parts of a pair of expressions that is evaluated.
const MAX_STEPS: usize = 512;
/// Most parts of a condition that an evaluation can leave out.
const MAX_CONDITION: usize = 32;
/// How many conditions back an evaluation looks: a division's own traps come right before it.
const RECENT: usize = 8;
/// Most operations on the same operands that are tried for one expansion.
const MAX_CANDIDATES: usize = 32;
/// Most parts of a term that are looked at for its operands.
const MAX_PARTS: usize = 256;
/// Operands tried for one pair of expressions.
const SAMPLES: u64 = 1024;
/// Values at which operations change their behaviour.
const SPECIAL: [u32; 26] = [
    0,
    1,
    2,
    3,
    15,
    16,
    30,
    31,
    32,
    33,
    34,
    62,
    63,
    64,
    65,
    127,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_fffe,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_fffe,
    0xffff_ffff,
];

/// A node of an expression whose leaves are variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// A variable; whether it is a truth value.
    Variable(bool),
    Const(u32),
    App(Fun, Box<[u32]>),
}

impl Step {
    fn constant(&self) -> Option<u32> {
        match self {
            Step::Const(value) => Some(*value),
            _ => None,
        }
    }
}

/// Two expressions, and conditions that are known not to hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shape {
    steps: Vec<Step>,
    pair: [u32; 2],
    /// Whether both are truth values.
    truths: bool,
    excluded: Vec<u32>,
}

/// How equalities were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Equalities {
    /// Pairs of terms that were the same or had equal parts.
    pub by_structure: usize,
    /// Pairs of terms that were evaluated.
    pub by_evaluation: usize,
    /// Different expressions among those.
    pub shapes: usize,
}

/// Remembers what was found.
pub(super) struct Equality {
    shapes: HashMap<Shape, bool>,
    pub(super) found: Equalities,
    /// Work that may still be done.
    pub(super) left: u64,
}

impl Equality {
    /// Nothing found, and so much work to do.
    pub(super) fn new(work: u64) -> Self {
        Self { shapes: HashMap::new(), found: Equalities::default(), left: work }
    }
}

/// The equalities of one block.
pub(super) struct Classes<'a> {
    terms: &'a Terms,
    known: &'a mut Equality,
    /// Terms with smaller numbers occur in rWasm's run.
    source: Term,
    /// Of a term a smaller one of its class.
    class: HashMap<Term, Term>,
    /// Pairs found different, with the number of conditions excluded then.
    different: HashMap<(Term, Term), usize>,
    /// Conditions that left the block before.
    excluded: Vec<Term>,
    /// Of a term of rWasm's run the terms in that run that are an operation on several words, or a
    /// signed division, of it: these have expansions.
    expanded: HashMap<Term, Vec<Term>>,
    /// Terms before this one have been looked up.
    swept: Term,
}

impl<'a> Classes<'a> {
    /// Nothing but the terms themselves; those before `source` occur in rWasm's run.
    pub(super) fn new(terms: &'a Terms, source: Term, known: &'a mut Equality) -> Self {
        let mut expanded: HashMap<Term, Vec<Term>> = HashMap::new();
        for term in 0..source {
            if let Node::App(Fun::Wide(..) | Fun::DivS | Fun::RemS, args) = terms.node(term) {
                let args = args.iter().filter(|&&arg| terms.value(arg).is_none());
                args.for_each(|&arg| expanded.entry(arg).or_default().push(term));
            }
        }
        Self {
            expanded,
            swept: source,
            terms,
            known,
            source,
            class: HashMap::new(),
            different: HashMap::new(),
            excluded: Vec::new(),
        }
    }

    /// From here on the condition does not hold.
    pub(super) fn exclude(&mut self, when: Term) {
        self.excluded.push(when);
    }

    /// Looks for rWasm's term of each of the rows' terms up to `last`, in the order in which they
    /// were computed: so that no comparison has to look further back than to terms found equal.
    fn sweep(&mut self, last: Term) {
        while self.swept <= last {
            let term = self.swept;
            self.swept += 1;
            let Node::App(fun, args) = self.terms.node(term) else { continue };
            let args: Vec<Term> = args.iter().map(|&arg| self.class(arg)).collect();
            if let Some(same) = self.terms.find(*fun, &args).filter(|same| *same < term) {
                self.remember(same, term, true);
            } else if !self.terms.is_truth(term) {
                self.find_expanded(term);
            }
        }
    }

    /// Looks for the operation that a term of the rows is the expansion of, among the operations
    /// on the same operands.
    fn find_expanded(&mut self, term: Term) {
        let shared = self.shared(term);
        let operands = |terms: &mut dyn Iterator<Item = Term>| -> BTreeSet<Term> {
            terms.filter(|&term| self.terms.value(term).is_none()).collect()
        };
        let own = operands(&mut shared.iter().copied());
        let Some(first) = own.first() else { return };
        let candidates = self.expanded.get(first).cloned().unwrap_or_default();
        let candidates = candidates.into_iter().filter(|&candidate| {
            matches!(self.terms.node(candidate), Node::App(_, args)
                if operands(&mut args.iter().map(|&arg| self.class(arg))) == own)
        });
        let candidates: BTreeSet<Term> = candidates.collect();
        for candidate in candidates.into_iter().take(MAX_CANDIDATES) {
            if self.evaluate_over(candidate, term, shared.clone()) {
                return self.remember(candidate, term, true);
            }
        }
    }

    /// The smallest term of its class.
    fn class(&self, mut term: Term) -> Term {
        while let Some(&smaller) = self.class.get(&term) {
            term = smaller;
        }
        term
    }

    /// Whether both terms always have one value.
    pub(super) fn equal(&mut self, a: Term, b: Term) -> bool {
        self.sweep(b);
        let equal = self.compare(a, b);
        self.known.found.by_structure += equal as usize;
        equal
    }

    /// Compares parts first, without recursion: terms can be as deep as a block is long.
    fn compare(&mut self, a: Term, b: Term) -> bool {
        let mut open = vec![Pair::new(a, b)];
        let mut parts_equal = None;
        while let Some(pair) = open.last_mut() {
            if !self.terms.spend(1) {
                return false;
            }
            let (a, b) = (pair.a, pair.b);
            let result = match parts_equal.take() {
                None => self.at_once(a, b),
                Some(true) => {
                    pair.next += 1;
                    None
                }
                Some(false) if !pair.exchanged && self.commutes(a) => {
                    (pair.next, pair.exchanged) = (0, true);
                    None
                }
                Some(false) => Some(self.evaluate(a, b)),
            };
            let equal = match (result, self.part(pair)) {
                (Some(equal), _) => equal,
                (None, None) => true,
                (None, Some((x, y))) => {
                    open.push(Pair::new(x, y));
                    continue;
                }
            };
            self.remember(a, b, equal);
            open.pop();
            parts_equal = Some(equal);
        }
        parts_equal == Some(true)
    }

    /// The answer, if no parts need to be compared.
    fn at_once(&mut self, a: Term, b: Term) -> Option<bool> {
        let (x, y) = (self.class(a), self.class(b));
        if x == y {
            return Some(true);
        }
        if self.different.get(&(x, y)) == Some(&self.excluded.len()) {
            return Some(false);
        }
        match (self.terms.node(a), self.terms.node(b)) {
            (Node::App(f, x), Node::App(g, y)) if f == g && x.len() == y.len() => None,
            _ => Some(self.evaluate(a, b)),
        }
    }

    fn commutes(&self, term: Term) -> bool {
        matches!(self.terms.node(term), Node::App(fun, _) if commutes(*fun))
    }

    /// The next pair of parts to compare.
    fn part(&self, pair: &Pair) -> Option<(Term, Term)> {
        let (Node::App(_, x), Node::App(_, y)) = (self.terms.node(pair.a), self.terms.node(pair.b))
        else {
            return None;
        };
        let other = if pair.exchanged { 1 - pair.next.min(1) } else { pair.next };
        Some((*x.get(pair.next)?, *y.get(other)?))
    }

    fn remember(&mut self, a: Term, b: Term, equal: bool) {
        let (a, b) = (self.class(a), self.class(b));
        if !equal {
            self.different.insert((a, b), self.excluded.len());
        } else if a != b {
            // The smaller number stands for the class: so no term becomes a part of itself.
            let (first, other) = (a.min(b), a.max(b));
            self.class.insert(other, first);
        }
    }

    /// The parts of the rows' term `b` that rWasm's run has too, up to classes; not their parts.
    fn shared(&self, b: Term) -> HashSet<Term> {
        let mut shared = HashSet::new();
        let mut seen = HashSet::new();
        let mut work = vec![b];
        while let Some(term) = work.pop() {
            if term != b && term < self.source {
                shared.insert(term);
            } else if seen.len() < MAX_PARTS
                && seen.insert(term)
                && let Node::App(_, args) = self.terms.node(term)
            {
                work.extend(args.iter().map(|&a| self.class(a)));
            }
        }
        shared
    }

    /// Evaluates both terms. The more parts count as variables, the cheaper: what is equal for all
    /// values of the parts is equal.
    fn evaluate(&mut self, a: Term, b: Term) -> bool {
        let (a, b) = (self.class(a), self.class(b));
        let shared = self.shared(b);
        let mut parts = shared.clone();
        if let Node::App(_, args) = self.terms.node(a) {
            parts.extend(args.iter().map(|&a| self.class(a)));
        }
        // Without any, when there is something to look into.
        let deep = parts.iter().any(|&t| matches!(self.terms.node(t), Node::App(..)));
        self.evaluate_over(a, b, parts)
            || (!shared.is_empty() && self.evaluate_over(a, b, shared))
            || (deep && self.evaluate_over(a, b, HashSet::new()))
    }

    /// Evaluates with these parts as variables.
    fn evaluate_over(&mut self, a: Term, b: Term, shared: HashSet<Term>) -> bool {
        // What is smaller than all of them cannot contain one of them.
        let smallest = shared.iter().copied().min().unwrap_or(0);
        let mut builder = Builder {
            classes: self,
            roots: [a, b],
            shared,
            smallest,
            steps: Vec::new(),
            index: HashMap::new(),
        };
        let (Some(x), Some(y)) = (builder.add(a, MAX_STEPS), builder.add(b, MAX_STEPS)) else {
            return false;
        };
        let pair = [x, y];
        let variables = builder.variables();
        let mut excluded = Vec::new();
        for &when in self.excluded.iter().rev().take(RECENT) {
            // A condition on other variables says nothing here.
            let (steps, index) = (builder.steps.len(), builder.index.clone());
            match builder.add(when, MAX_CONDITION) {
                Some(step) if builder.variables() == variables => excluded.push(step),
                _ => {
                    builder.steps.truncate(steps);
                    builder.index = index;
                }
            }
        }
        if !self.terms.spend(builder.steps.len() as u64) {
            return false;
        }
        let truths = self.terms.is_truth(a) && self.terms.is_truth(b);
        let shape = Shape { steps: builder.steps, pair, truths, excluded };
        if let Some(&equal) = self.known.shapes.get(&shape) {
            self.known.found.by_evaluation += equal as usize;
            return equal;
        }
        if !self.terms.spend(shape.steps.len() as u64 * SAMPLES) {
            return false;
        }
        let equal = shape.holds();
        self.known.shapes.insert(shape, equal);
        self.known.found.by_evaluation += equal as usize;
        self.known.found.shapes += equal as usize;
        equal
    }
}

/// Two terms under comparison.
struct Pair {
    a: Term,
    b: Term,
    /// Number of the part that is compared now.
    next: usize,
    /// Whether the first part of one is compared with the second of the other.
    exchanged: bool,
}

impl Pair {
    fn new(a: Term, b: Term) -> Self {
        Self { a, b, next: 0, exchanged: false }
    }
}

struct Builder<'a, 'b> {
    classes: &'a Classes<'b>,
    /// The two terms that are compared: no variables, whatever they contain.
    roots: [Term; 2],
    shared: HashSet<Term>,
    smallest: Term,
    steps: Vec<Step>,
    index: HashMap<Term, u32>,
}

impl Builder<'_, '_> {
    fn is_variable(&self, term: Term) -> bool {
        !self.roots.contains(&term) && (self.shared.contains(&term) || term < self.smallest)
    }

    /// Adds a term after its parts, if there are not too many.
    fn add(&mut self, term: Term, most: usize) -> Option<u32> {
        let most = self.steps.len() + most;
        let terms = self.classes.terms;
        let mut open = vec![(self.classes.class(term), false)];
        let mut last = 0;
        while let Some((term, ready)) = open.pop() {
            if self.steps.len() + open.len() > most {
                return None;
            }
            if let Some(&step) = self.index.get(&term) {
                last = step;
                continue;
            }
            let step = match terms.node(term) {
                Node::Const(value) => Step::Const(*value),
                Node::App(_, args) if !self.is_variable(term) && !ready => {
                    open.push((term, true));
                    open.extend(args.iter().map(|&a| (self.classes.class(a), false)));
                    continue;
                }
                Node::App(fun, args) if !self.is_variable(term) => {
                    let step = |a: &Term| self.index.get(&self.classes.class(*a)).copied();
                    Step::App(*fun, args.iter().filter_map(step).collect())
                }
                _ => Step::Variable(terms.is_truth(term)),
            };
            self.steps.push(step);
            last = self.steps.len() as u32 - 1;
            self.index.insert(term, last);
        }
        Some(last)
    }

    fn variables(&self) -> usize {
        self.steps.iter().filter(|s| matches!(s, Step::Variable(_))).count()
    }
}

impl Shape {
    /// Whether the pair is equal on all samples.
    fn holds(&self) -> bool {
        let constants: Vec<u32> = self.steps.iter().filter_map(Step::constant).collect();
        let mut values = vec![0; self.steps.len()];
        let (mut used, mut args, mut seen) = (0, Vec::new(), [false; 2]);
        // A condition that excludes most samples must not leave too few.
        for sample in 0..4 * SAMPLES {
            let mut random = Random(sample.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995);
            // In half of the samples values stay near each other and the constants.
            let near = sample % 2 == 0;
            let mut drawn = constants.clone();
            for i in 0..self.steps.len() {
                values[i] = match &self.steps[i] {
                    Step::Const(value) => *value,
                    Step::Variable(truth) => {
                        let value = random.value(&drawn, near);
                        drawn.push(value);
                        if *truth { value & 1 } else { value }
                    }
                    Step::App(fun, parts) => {
                        args.clear();
                        args.extend(parts.iter().map(|&part| values[part as usize]));
                        eval(*fun, &args)
                            .unwrap_or_else(|| unknown(sample, *fun, &args, &constants))
                    }
                };
            }
            if self.excluded.iter().any(|&when| values[when as usize] != 0) {
                continue;
            }
            let [a, b] = self.pair.map(|step| values[step as usize]);
            if a != b {
                return false;
            }
            seen[usize::from(a != 0)] = true;
            used += 1;
            if used == SAMPLES {
                break;
            }
        }
        // A condition that was never met, or always, has not been tried at all.
        used >= SAMPLES / 4 && (!self.truths || seen == [true; 2])
    }
}

/// A function that has no value here is any function, another one in each sample: it mixes its
/// arguments, with values as telling as those of variables.
fn unknown(sample: u64, fun: Fun, args: &[u32], constants: &[u32]) -> u32 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (sample, fun, args).hash(&mut hasher);
    Random(hasher.finish()).value(constants, true)
}

/// A small generator: the samples are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) as u32
    }

    /// A special value, a small one, one near a value drawn before, or any.
    fn value(&mut self, drawn: &[u32], near: bool) -> u32 {
        let (kind, pick, any) = (self.next() % 8, self.next() as usize, self.next());
        match kind {
            3.. if near && !drawn.is_empty() => {
                let near = drawn[pick % drawn.len()];
                [near, near, near, near, near.wrapping_add(1), near.wrapping_sub(1), !near, any]
                    [any as usize % 8]
            }
            0..3 => SPECIAL[pick % SPECIAL.len()],
            3 => any % 256,
            4 if !drawn.is_empty() => {
                let near = drawn[pick % drawn.len()];
                [near, near.wrapping_add(1), near.wrapping_sub(1), !near][any as usize % 4]
            }
            _ => any,
        }
    }
}

/// The slots whose contents at the block's start a term depends on.
pub(super) fn slots(
    terms: &Terms,
    roots: impl IntoIterator<Item = Term>,
    into: &mut BTreeSet<i32>,
) {
    let mut seen = HashSet::new();
    let mut work: Vec<Term> = roots.into_iter().collect();
    while let Some(term) = work.pop() {
        if !seen.insert(term) {
            continue;
        }
        if !terms.spend(4) {
            return;
        }
        match terms.node(term) {
            Node::Leaf(super::term::Leaf::Slot(slot)) => _ = into.insert(*slot),
            Node::App(_, args) => work.extend(args.iter().copied()),
            _ => {}
        }
    }
}
