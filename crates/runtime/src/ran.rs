//! Programs in containers.

/// What came of a program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub code: i64,
    /// Seconds that it takes.
    pub takes: u32,
}

impl Ran {
    /// It said `why` and failed.
    pub fn failed(code: i64, why: impl Into<String>) -> Ran {
        Ran { stderr: format!("{}\n", why.into()), code, ..Ran::default() }
    }

    /// It printed a text and succeeded.
    pub fn printed(stdout: String) -> Ran {
        Ran { stdout, ..Ran::default() }
    }
}
