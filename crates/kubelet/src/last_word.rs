//! What a container leaves behind when it ends: its termination message.

use value::{Str, Value};

use crate::shell::Output;

/// The longest message in a file, and at the end of a log: bytes and lines.
const FILE_MAX: usize = 4_096;
const LOG_MAX: (usize, usize) = (2_048, 80);

/// Whether it is the end of the log where no file is written.
pub(crate) fn is_log(container: &Value) -> bool {
    container.str_at("terminationMessagePolicy") == Some("FallbackToLogsOnError")
}

/// Of a program that has ended with this code.
pub(crate) fn of(container: &Value, output: &Output, code: i64) -> Str {
    let path = container.str_at("terminationMessagePath").unwrap_or("/dev/termination-log");
    let file = output.changes.last().and_then(|(_, files)| files.get(path)).filter(|it| !it.is_empty());
    if let Some(text) = file {
        return head(text, FILE_MAX).into();
    }
    if code == 0 || !is_log(container) {
        return Str::default();
    }
    let (bytes_max, lines_max) = LOG_MAX;
    let skip = output.lines.len().saturating_sub(lines_max);
    let text: String = output.lines.iter().skip(skip).map(|it| format!("{}\n", it.text)).collect();
    tail(&text, bytes_max).into()
}

fn head(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn tail(text: &str, max: usize) -> &str {
    let mut start = text.len().saturating_sub(max);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}
