//! JSON text in and out, as Go's `encoding/json` reads and writes it.

mod parse;
mod write;

pub use self::parse::{Error, Parsed, parse, parse_strict};
pub use self::write::{to_string, to_string_pretty, write, write_str};
