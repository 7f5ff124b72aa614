//! The parts of the control plane: their queues, and what they do, in words.

use std::rc::Rc;

use value::Value;
use web::ComponentRow;

use crate::client::Engine;

const PATH: &str = "/apis/sim.drydock.dev/v1alpha1/components";

/// All of them, in the order of their names.
pub fn of(engine: &mut Engine) -> Vec<Rc<ComponentRow>> {
    let list = engine.get(PATH).unwrap_or_default();
    list.list_at("items").iter().map(|it| Rc::new(row(it))).collect()
}

fn row(it: &Value) -> ComponentRow {
    let text = |path: &'static str| it.str_at(path).unwrap_or_default().to_owned();
    let number = |path: &'static str| it.i64_at(path).and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
    let texts = |path: &'static str| it.list_at(path).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    ComponentRow {
        name: text("metadata.name"),
        is_stopped: it.str_at("spec.state") == Some("Stopped"),
        n_queued: number("status.queueDepth"),
        next: texts("status.queue"),
        n_retries: number("status.retries"),
        n_cached: number("status.cacheObjects"),
        doing: text("status.message"),
        back_offs: it.list_at("status.backOffs").iter().map(back_off).collect(),
        last: text("status.lastReconciled"),
        last_at: text("status.lastReconcileTime").get(11..19).unwrap_or_default().to_owned(),
    }
}

fn back_off(it: &Value) -> String {
    let text = |field: &'static str| it.str_at(field).unwrap_or_default();
    let times = match it.i64_at("failures") {
        Some(1) => "once".to_owned(),
        n => format!("{} times", n.unwrap_or(0)),
    };
    let again = text("retryTime").get(11..19).map(|it| format!(", again at {it}")).unwrap_or_default();
    let why = if text("message").is_empty() { String::new() } else { format!(": {}", text("message")) };
    format!("{} failed {times}{again}{why}", text("name"))
}
