//! Splits a wasm program in two: what a rehearsal ran, and the rest, which is loaded when it is first needed.
//!
//! The rehearsal runs the program with counters ([`counted`]). The rest is a second module that shares the memory, the
//! globals and the tables of the first. It has the functions that were not called, and the parts of called functions
//! that were not reached, each made a function of its own, and the data that only these use. The modules call each
//! other's functions through the table; before the first module calls one of the rest, it asks the host for the rest,
//! by the imported function [`LOADER`].

mod count;
mod cut;
mod data;
mod first;
mod linked;
mod live;
mod plan;
mod program;
mod rest;

pub use count::counted;

use plan::Plan;
use program::Program;

/// A part of the name of the imported function that brings the rest; its one argument says that it is needed now.
pub const LOADER: &str = "loadRest";
/// What the rest calls the first module.
const FIRST: &str = "first";
const MEMORY: &str = "memory";
/// What the names of exports begin with that the rest needs.
const GLOBAL: &str = "global:";
const TABLE: &str = "table:";

/// The two modules.
pub struct Parts {
    pub first: Vec<u8>,
    pub rest: Vec<u8>,
}

/// Splits a program by what the counters of [`counted`] held after the rehearsal, a byte each.
pub fn split(wasm: &[u8], hits: &[u8]) -> Result<Parts, String> {
    let program = Program::parse(wasm)?;
    let plan = Plan::new(&program, hits)?;
    let parts = first::write(&plan).and_then(|first| Ok(Parts { first, rest: rest::write(&plan)? }));
    parts.map_err(|error| error.to_string())
}
