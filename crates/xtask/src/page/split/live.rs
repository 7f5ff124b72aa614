//! Which locals are read again before they are written: a backward walk over a function's steps.

use wasmparser::Operator;

use super::program::Code;

/// A set of locals.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Locals(Vec<u64>);

impl Locals {
    pub fn contains(&self, local: u32) -> bool {
        self.0.get(local as usize / 64).is_some_and(|it| it >> (local % 64) & 1 != 0)
    }

    pub fn insert(&mut self, local: u32) {
        let word = local as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (local % 64);
    }

    fn remove(&mut self, local: u32) {
        if let Some(it) = self.0.get_mut(local as usize / 64) {
            *it &= !(1 << (local % 64));
        }
    }

    pub fn add_all(&mut self, other: &Locals) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(mine, its)| *mine |= its);
    }

    fn has_all(&self, other: &Locals) -> bool {
        other.0.iter().enumerate().all(|(word, its)| its & !self.0.get(word).copied().unwrap_or_default() == 0)
    }
}

/// What is live where, of a function.
pub struct Liveness {
    /// Before each step that begins a stretch; empty before others.
    pub before: Vec<Locals>,
    /// Where a branch to the frame that a step opens goes on.
    pub label: Vec<Locals>,
    /// After the frame that a step opens.
    pub after: Vec<Locals>,
}

impl Liveness {
    pub fn of(code: &Code<'_>) -> Liveness {
        let empty = || vec![Locals::default(); code.steps.len()];
        let mut res = Liveness { before: empty(), label: empty(), after: empty() };
        // What is live at the head of a loop is known when its body is, which needs what is live at its head.
        while res.walk(code) {}
        res
    }

    /// Whether it found more than before.
    fn walk(&mut self, code: &Code<'_>) -> bool {
        let opens = opens(code);
        let mut found_more = false;
        let mut live = Locals::default();
        // The frames that a step is in, by the steps that open them, and what is live where their `else` begins.
        let mut frames = Vec::<(usize, Option<Locals>)>::new();
        for (step, it) in code.steps.iter().enumerate().rev() {
            let label = |depth: u32, liveness: &Liveness| match frames.len().checked_sub(1 + depth as usize) {
                Some(frame) => liveness.label[frames[frame].0].clone(),
                None => Locals::default(),
            };
            match &it.operator {
                Operator::End => {
                    if let Some(open) = opens[step] {
                        if !matches!(code.steps[open].operator, Operator::Loop { .. }) {
                            self.label[open] = live.clone();
                        }
                        self.after[open] = live.clone();
                        frames.push((open, None));
                    }
                }
                Operator::Else => {
                    if let Some((open, at_else)) = frames.last_mut() {
                        *at_else = Some(std::mem::replace(&mut live, self.after[*open].clone()));
                    }
                }
                Operator::If { .. } => {
                    let at_else = frames.pop().and_then(|(_, at_else)| at_else);
                    live.add_all(at_else.as_ref().unwrap_or(&self.after[step]));
                }
                Operator::Loop { .. } => {
                    frames.pop();
                    if !self.label[step].has_all(&live) {
                        self.label[step].add_all(&live);
                        found_more = true;
                    }
                }
                Operator::Block { .. } => {
                    frames.pop();
                }
                Operator::Br { relative_depth } => live = label(*relative_depth, self),
                Operator::BrIf { relative_depth } => live.add_all(&label(*relative_depth, self)),
                Operator::BrTable { targets } => {
                    live = label(targets.default(), self);
                    targets.targets().flatten().for_each(|it| live.add_all(&label(it, self)));
                }
                Operator::Return | Operator::Unreachable => live = Locals::default(),
                Operator::LocalGet { local_index } => live.insert(*local_index),
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => live.remove(*local_index),
                _ => (),
            }
            if code.is_leader(step) {
                self.before[step] = live.clone();
            }
        }
        found_more
    }
}

/// Of each `end`, the step that opens the frame; none for the function's own.
fn opens(code: &Code<'_>) -> Vec<Option<usize>> {
    let mut res = vec![None; code.steps.len()];
    let mut frames = Vec::new();
    for (step, it) in code.steps.iter().enumerate() {
        match it.operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => frames.push(step),
            Operator::End => res[step] = frames.pop(),
            _ => (),
        }
    }
    res
}
