//! Which parts of functions are cut out: the ends of frames that the rehearsal did not reach.
//!
//! What is cut out becomes a function. It takes the operands that its frame has so far and the locals that it reads;
//! it gives back the values that its way out takes along, the locals that it wrote and that others read, and, when it
//! has several ways out, which one.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{BlockType, Operator, ValType};

use super::{
    live::{Liveness, Locals},
    program::{Code, Program},
};

/// What a cut must save, in bytes, to be worth a call through the table.
const SAVES_MIN: usize = 12;

/// Parameters and results that a function may have; engines allow no more than 1,000.
const VALUES_MAX: usize = 100;

/// A part of a function that is cut out: all steps from `start` to before `end`, which closes the frame.
pub struct Cut {
    pub start: usize,
    pub end: usize,
    /// Frames of the function around it, the function itself included.
    n_frames: u32,
    /// Whether the innermost of them is a loop.
    is_in_loop: bool,
    pub operands: Vec<ValType>,
    pub inputs: Vec<u32>,
    pub values: Vec<ValType>,
    pub outputs: Vec<u32>,
    /// Sorted; falling through comes last.
    pub exits: Vec<Exit>,
    /// Ways out that take the values along; the others take none.
    with_values: BTreeSet<Exit>,
}

/// Where it goes on after a cut.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// A branch out of so many frames, counted from the frame that the cut is in.
    Branch(u32),
    /// The end of that frame.
    Fall,
}

/// The cuts of a function that was called, in order; `hits` are its counters.
pub fn cuts(program: &Program<'_>, code: &Code<'_>, ty: u32, hits: &[u8]) -> Vec<Cut> {
    let results = program.types[ty as usize].results().to_vec();
    let live = Liveness::of(code);
    let mut frames = vec![Frame { open: None, is_loop: false, params: Vec::new(), results }];
    let mut res = Vec::<Cut>::new();
    let mut hits = hits.iter();
    let mut skip_to = 0;
    for (step, it) in code.steps.iter().enumerate() {
        let is_missed = code.is_leader(step) && hits.next().is_some_and(|it| *it == 0);
        if step < skip_to {
            continue;
        }
        if is_missed && let Some(cut) = Finder::find(code, &live, &frames, step) {
            skip_to = cut.end;
            res.push(cut);
            if skip_to > step {
                continue;
            }
        }
        follow(program, &mut frames, step, &it.operator);
    }
    res
}

struct Frame {
    /// The step that opens it; none for the function itself.
    open: Option<usize>,
    is_loop: bool,
    params: Vec<ValType>,
    results: Vec<ValType>,
}

impl Frame {
    fn new(program: &Program<'_>, open: usize, ty: BlockType, is_loop: bool) -> Frame {
        Frame { open: Some(open), is_loop, params: program.params(ty), results: program.results(ty) }
    }

    /// What a branch to it takes along.
    fn label(&self) -> &[ValType] {
        if self.is_loop { &self.params } else { &self.results }
    }
}

fn follow(program: &Program<'_>, frames: &mut Vec<Frame>, step: usize, operator: &Operator<'_>) {
    match operator {
        Operator::Block { blockty } | Operator::If { blockty } => {
            frames.push(Frame::new(program, step, *blockty, false))
        }
        Operator::Loop { blockty } => frames.push(Frame::new(program, step, *blockty, true)),
        Operator::End => {
            frames.pop();
        }
        _ => (),
    }
}

/// Looks at one part that might be cut out.
struct Finder<'a> {
    live: &'a Liveness,
    frames: &'a [Frame],
    depth: u32,
    exits: BTreeSet<Exit>,
    values: Option<Vec<ValType>>,
    with_values: BTreeSet<Exit>,
    touched: BTreeSet<u32>,
    written: BTreeSet<u32>,
}

impl Finder<'_> {
    fn find(code: &Code<'_>, live: &Liveness, frames: &[Frame], start: usize) -> Option<Cut> {
        let end = code.close_of(start);
        let operands = code.steps[start].operands.clone()?;
        let n_bytes = code.steps[end].at - code.steps[start].at;
        if code.steps[start].is_dead || n_bytes < SAVES_MIN {
            return None;
        }
        let mut finder = Finder {
            live,
            frames,
            depth: 0,
            exits: BTreeSet::new(),
            values: None,
            with_values: BTreeSet::new(),
            touched: BTreeSet::new(),
            written: BTreeSet::new(),
        };
        for step in &code.steps[start..end] {
            finder.take(&step.operator)?;
        }
        if !code.steps[end].is_dead {
            finder.exit(Exit::Fall, false)?;
        }
        let live_then = finder.live_then();
        let outputs = finder.written.iter().copied().filter(|it| live_then.contains(*it)).collect::<Vec<_>>();
        let inputs = finder.touched.iter().copied().filter(|it| live.before[start].contains(*it)).collect::<Vec<_>>();
        if operands.len() + inputs.len() > VALUES_MAX || outputs.len() > VALUES_MAX {
            return None;
        }
        let cost = 12 + 2 * (inputs.len() + outputs.len()) + 6 * finder.exits.len();
        (n_bytes >= cost + SAVES_MIN).then(|| Cut {
            start,
            end,
            n_frames: frames.len() as u32,
            is_in_loop: frames.last().is_some_and(|it| it.is_loop),
            operands,
            inputs,
            values: finder.values.unwrap_or_default(),
            outputs,
            exits: finder.exits.into_iter().collect(),
            with_values: finder.with_values,
        })
    }

    fn take(&mut self, operator: &Operator<'_>) -> Option<()> {
        match operator {
            Operator::LocalGet { local_index } => {
                self.touched.insert(*local_index);
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                self.touched.insert(*local_index);
                self.written.insert(*local_index);
            }
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => self.depth += 1,
            Operator::End => self.depth -= 1,
            Operator::Br { relative_depth } => self.branch(*relative_depth, false)?,
            Operator::BrIf { relative_depth } => self.branch(*relative_depth, true)?,
            Operator::BrTable { targets } => {
                self.branch(targets.default(), true)?;
                for target in targets.targets() {
                    self.branch(target.ok()?, true)?;
                }
            }
            Operator::Return => self.branch(self.depth + self.frames.len() as u32 - 1, false)?,
            it if is_bound(it) => return None,
            _ => (),
        }
        Some(())
    }

    fn branch(&mut self, label: u32, is_conditional: bool) -> Option<()> {
        let Some(out) = label.checked_sub(self.depth) else { return Some(()) };
        self.exit(exit(self.frames.last()?.is_loop, out), is_conditional)
    }

    /// All ways out must take along the same values or none; conditional ones none.
    fn exit(&mut self, exit: Exit, is_conditional: bool) -> Option<()> {
        let values = match exit {
            Exit::Branch(out) => self.frames[self.frames.len() - 1 - out as usize].label(),
            Exit::Fall => &self.frames.last()?.results,
        };
        self.exits.insert(exit);
        if values.is_empty() {
            return Some(());
        }
        if is_conditional || self.values.as_ref().is_some_and(|it| it != values) {
            return None;
        }
        self.values = Some(values.to_vec());
        self.with_values.insert(exit);
        Some(())
    }

    /// What is live after the part, whichever way out it takes.
    fn live_then(&self) -> Locals {
        let mut res = Locals::default();
        for exit in &self.exits {
            let (out, frames) = match exit {
                Exit::Branch(out) => (*out as usize, &self.live.label),
                Exit::Fall => (0, &self.live.after),
            };
            if let Some(open) = self.frames[self.frames.len() - 1 - out].open {
                res.add_all(&frames[open]);
            }
        }
        res
    }
}

impl Cut {
    /// Where a branch out of so many frames goes on: at the end of the innermost, unless it is a loop.
    pub fn exit(&self, out: u32) -> Exit {
        exit(self.is_in_loop, out)
    }

    /// How many frames the function has around the cut.
    pub fn outermost(&self) -> u32 {
        self.n_frames - 1
    }

    pub fn has_values(&self, exit: Exit) -> bool {
        self.with_values.contains(&exit)
    }

    /// The number of a way out.
    pub fn number(&self, exit: Exit) -> i32 {
        self.exits.binary_search(&exit).unwrap_or_default() as i32
    }
}

fn exit(is_in_loop: bool, out: u32) -> Exit {
    if out == 0 && !is_in_loop { Exit::Fall } else { Exit::Branch(out) }
}

/// Whether it only works in the module that it is in.
pub fn is_bound(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::RefFunc { .. }
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::TryTable { .. }
            | Operator::BrOnNull { .. }
            | Operator::BrOnNonNull { .. }
    )
}

/// New numbers of the locals of a cut: parameters first.
pub fn locals_of(cut: &Cut, code: &Code<'_>) -> (BTreeMap<u32, u32>, Vec<ValType>) {
    let mut next = cut.operands.len() as u32;
    let mut numbers = BTreeMap::new();
    for input in &cut.inputs {
        numbers.insert(*input, next);
        next += 1;
    }
    let mut types = Vec::new();
    for step in &code.steps[cut.start..cut.end] {
        let (Operator::LocalGet { local_index }
        | Operator::LocalSet { local_index }
        | Operator::LocalTee { local_index }) = step.operator
        else {
            continue;
        };
        numbers.entry(local_index).or_insert_with(|| {
            types.push(code.locals[local_index as usize]);
            next += 1;
            next - 1
        });
    }
    (numbers, types)
}
