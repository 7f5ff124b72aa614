//! Hooks that a kubelet runs after the start of a container and before its end.

use meta::Object;
use sim::{Duration, Instant};
use value::Value;

use crate::shell::{self, Surroundings};

/// A hook may take this long; what goes on is ended with its container.
const TAKES_MAX: Duration = Duration::from_secs(3_600);

/// What became of a hook.
pub(crate) struct Hook {
    pub took: Duration,
    /// In the kubelet's words.
    pub failure: Option<String>,
}

/// What is said of a hook that asks over HTTP and is not heard.
pub(crate) fn unheard(pod: &Object, container: &Value, action: &Value, why: &str) -> String {
    let (path, name) = (action.str_at("path").unwrap_or(""), container.str_at("name").unwrap_or(""));
    format!("HTTP lifecycle hook ({path}) for Container \"{name}\" in Pod \"{}\" failed - error: {why}", full_name(pod))
}

fn full_name(pod: &Object) -> String {
    format!("{}_{}({})", pod.name(), pod.namespace(), pod.meta.uid)
}

/// Runs a hook that is a command; `None` without one that the shell understands.
pub(crate) fn run(pod: &Object, container: &Value, which: &str, around: &Surroundings, at: Instant) -> Option<Hook> {
    let hook = container.get("lifecycle")?.get(which)?;
    let words: Vec<&str> = hook.list_at("exec.command").iter().filter_map(Value::as_str).collect();
    let program = shell::program(&words)?;
    let asked = shell::ask(&program, around, &around.files, at, TAKES_MAX);
    // Where a hook meets what nobody knows, it does well and is done.
    let (code, took) = match asked {
        _ if asked.unknown || asked.missing => (0, Duration::ZERO),
        _ => (asked.code.unwrap_or(0), asked.took),
    };
    let failure = (code != 0).then(|| {
        let name = container.str_at("name").unwrap_or("");
        let pod = full_name(pod);
        let (list, line) = (words.join(" "), words.join(" "));
        let output = meta::quoted(&asked.output);
        format!(
            "Exec lifecycle hook ([{list}]) for Container \"{name}\" in Pod \"{pod}\" failed - error: command '{line}' \
             exited with {code}: {}, message: {output}",
            asked.output
        )
    });
    Some(Hook { took, failure })
}
