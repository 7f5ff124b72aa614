//! What a container does, as far as anybody declared it.

use std::sync::{Arc, LazyLock};

use kinds::IMAGE_BEHAVIOR;
use meta::Object;
use runtime::View;
use sim::Duration;
use value::{Str, Value};

/// The life of one container, resolved from ImageBehavior objects and the pod's annotations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Behavior {
    pub pull: Duration,
    /// An image pull error in the runtime's words.
    pub pull_error: Option<Str>,
    pub start: Duration,
    /// From the start to readiness; `None` is never.
    pub ready: Option<Duration>,
    pub exit: Option<Exit>,
    /// From the start until liveness probes fail; `None` is never.
    pub dies: Option<Duration>,
    /// Bytes of memory that it uses.
    pub memory: Option<i64>,
    pub log: Vec<Str>,
    /// Whether any of it was declared.
    pub is_declared: bool,
}

/// How a container ends by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Exit {
    pub after: Duration,
    pub code: i64,
    /// Empty: `Completed` for code 0, `Error` otherwise.
    pub reason: Str,
}

impl Default for Behavior {
    fn default() -> Self {
        Behavior {
            pull: Duration::from_millis(800),
            pull_error: None,
            start: Duration::from_millis(200),
            ready: Some(Duration::ZERO),
            exit: None,
            dies: None,
            memory: None,
            log: Vec::new(),
            is_declared: false,
        }
    }
}

/// Prefix of annotations that override a container's behaviour: `sim.drydock.dev/CONTAINER.FIELD`.
const ANNOTATION: &str = "sim.drydock.dev/";

/// The behaviour of a container: the most specific matching ImageBehavior, then annotations over it.
pub(crate) fn of(view: &View<'_>, pod: &Object, container: &Value, is_init: bool) -> Arc<Behavior> {
    // Most behave as nobody declared.
    static DEFAULT: LazyLock<Arc<Behavior>> = LazyLock::new(Arc::default);
    let behavior = declared(view, pod, container, is_init);
    if behavior == **DEFAULT { DEFAULT.clone() } else { Arc::new(behavior) }
}

fn declared(view: &View<'_>, pod: &Object, container: &Value, is_init: bool) -> Behavior {
    let mut behavior = Behavior::default();
    if is_init && crate::logs::program(view, pod, container).is_none() {
        // An init container of which nothing is known ends well.
        behavior.exit = Some(Exit { after: Duration::from_secs(1), code: 0, reason: "".into() });
    }
    let image = container.str_at("image").unwrap_or("");
    // The longest pattern is the most specific; the name decides between equals.
    let declared = view.list(IMAGE_BEHAVIOR, None).filter(|it| glob(it.str_at("spec.image").unwrap_or(""), image));
    if let Some(it) = declared.max_by_key(|it| (it.str_at("spec.image").unwrap_or("").len(), it.meta.name.clone())) {
        behavior.is_declared = true;
        declare(&mut behavior, it);
    }
    let name = container.str_at("name").unwrap_or("");
    for (key, value) in pod.meta.annotations.iter() {
        let field =
            key.strip_prefix(ANNOTATION).and_then(|it| it.strip_prefix(name)).and_then(|it| it.strip_prefix('.'));
        if let (Some(field), Some(value)) = (field, value.as_str()) {
            behavior.is_declared = true;
            override_field(&mut behavior, field, value);
        }
    }
    behavior
}

fn declare(behavior: &mut Behavior, declared: &Object) {
    if let Some(it) = seconds(declared.at("spec.pull.seconds")) {
        behavior.pull = it;
    }
    if let Some(it) = declared.str_at("spec.pull.error").filter(|it| !it.is_empty()) {
        behavior.pull_error = Some(it.into());
    }
    if let Some(it) = seconds(declared.at("spec.start.seconds")) {
        behavior.start = it;
    }
    if let Some(it) = seconds(declared.at("spec.ready.afterSeconds")) {
        behavior.ready = Some(it);
    }
    if declared.bool_at("spec.ready.never") == Some(true) {
        behavior.ready = None;
    }
    if let Some(it) = seconds(declared.at("spec.live.failsAfterSeconds")) {
        behavior.dies = Some(it);
    }
    if let Some(it) = declared.str_at("spec.usage.memory").and_then(bytes) {
        behavior.memory = Some(it);
    }
    if let Some(exit) = declared.at("spec.exit") {
        behavior.exit = Some(Exit {
            after: seconds(exit.get("afterSeconds")).unwrap_or_default(),
            code: exit.i64_at("code").unwrap_or(0),
            reason: exit.str_at("reason").unwrap_or("").into(),
        });
    }
    let log: Vec<Str> = declared.list_at("spec.log").iter().filter_map(Value::as_shared_str).cloned().collect();
    if !log.is_empty() {
        behavior.log = log;
    }
}

fn override_field(behavior: &mut Behavior, field: &str, value: &str) {
    let exit = || Exit { after: Duration::ZERO, code: 0, reason: "".into() };
    match (field, text_seconds(value)) {
        ("pull.seconds", Some(it)) => behavior.pull = it,
        ("pull.error", _) => behavior.pull_error = Some(value.into()),
        ("start.seconds", Some(it)) => behavior.start = it,
        ("ready.afterSeconds", Some(it)) => behavior.ready = Some(it),
        ("live.failsAfterSeconds", Some(it)) => behavior.dies = Some(it),
        ("usage.memory", _) => behavior.memory = bytes(value),
        ("ready.never", _) if value == "true" => behavior.ready = None,
        ("exit.afterSeconds", Some(it)) => behavior.exit.get_or_insert_with(exit).after = it,
        ("exit.code", _) => behavior.exit.get_or_insert_with(exit).code = value.parse().unwrap_or(1),
        ("exit.reason", _) => behavior.exit.get_or_insert_with(exit).reason = value.into(),
        ("log", _) => behavior.log = value.lines().map(Str::from).collect(),
        _ => (),
    }
}

/// A number of seconds, whole or with a fraction.
fn seconds(value: Option<&Value>) -> Option<Duration> {
    match value? {
        Value::Int(it) => u64::try_from(*it).ok().map(Duration::from_secs),
        Value::Decimal(text) | Value::Str(text) => text_seconds(text),
        _ => None,
    }
}

fn text_seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let millis = format!("{fraction:0<3}");
    let millis: u64 = millis.get(..3)?.parse().ok()?;
    Some(Duration::from_secs(whole.parse().ok()?) + Duration::from_millis(millis))
}

fn bytes(text: &str) -> Option<i64> {
    value::quantity::Quantity::parse(text).ok().map(|it| it.value())
}

/// `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    crate::shell::matches(pattern, text)
}
