//! All of one object, for the drawer: as kubectl prints it, and why it is where it is.

use std::rc::Rc;

use kubectl::Input;
use value::Value;
use view::Screen;
use view::model::{EventRow, Ref};
use web::{DecisionRow, Details, Score};

use crate::client::Engine;
use crate::verdicts;

pub fn of(engine: &mut Engine, target: &Ref) -> Details {
    let (decision_text, decision) = decision(engine, target);
    engine.is_looking = true;
    let res = Details {
        yaml: kubectl_says(engine, &["get"], target, &["-o", "yaml"]),
        describe: kubectl_says(engine, &["describe"], target, &[]),
        events: events(engine, target),
        target: target.clone(),
        decision_text,
        decision,
    };
    engine.is_looking = false;
    res
}

/// What kubectl prints of an object; nothing when it fails, which means that the object is gone.
fn kubectl_says(engine: &mut Engine, command: &[&str], target: &Ref, flags: &[&str]) -> String {
    let kind = resource(engine, target);
    let mut args = command.to_vec();
    args.extend([kind.as_str(), target.name.as_str()]);
    if !target.namespace.is_empty() {
        args.extend(["-n", target.namespace.as_str()]);
    }
    args.extend(flags);
    let output = kubectl::run(&args, Input::default(), engine, &mut |_| false);
    if output.code == 0 { output.stdout } else { String::new() }
}

/// `daemonsets.apps`
fn resource(engine: &Engine, target: &Ref) -> String {
    let kind = engine.cluster.api().registry().all().find(|it| *it.kind == *target.kind);
    kind.map_or_else(
        || target.kind.to_lowercase(),
        |it| if it.group.is_empty() { it.plural.to_string() } else { format!("{}.{}", it.plural, it.group) },
    )
}

fn events(engine: &Engine, target: &Ref) -> Vec<Rc<EventRow>> {
    Screen::events_about(engine.cluster.api().store(), target).into_iter().map(Rc::new).collect()
}

fn decision(engine: &mut Engine, target: &Ref) -> (String, Vec<DecisionRow>) {
    let (plural, row): (&str, fn(&Value, &Value) -> DecisionRow) = match target.kind.as_str() {
        "Pod" => ("schedulingdecisions", scheduled),
        "DaemonSet" => ("placementdecisions", placed),
        _ => return (String::new(), Vec::new()),
    };
    let Some(status) = verdicts::status(engine, plural, &target.namespace, &target.name) else {
        return (String::new(), Vec::new());
    };
    let rows = status.list_at("nodes").iter().map(|it| row(&status, it)).collect();
    let text = match target.kind.as_str() {
        "Pod" => status.str_at("message").unwrap_or_default().to_owned(),
        _ => "The DaemonSet controller decides about every node:".to_owned(),
    };
    (text, rows)
}

fn text(of: &Value, path: &str) -> String {
    of.str_at(path).unwrap_or_default().to_owned()
}

/// A node as the scheduler saw it.
fn scheduled(status: &Value, node: &Value) -> DecisionRow {
    let refused: Vec<String> = node
        .list_at("filters")
        .iter()
        .filter(|it| it.bool_at("passed") == Some(false))
        .map(|it| format!("{}: {}", text(it, "plugin"), text(it, "reason")))
        .collect();
    let name = text(node, "name");
    let verdict = match status.str_at("chosen") {
        Some(chosen) if chosen == name => "chosen",
        _ if refused.is_empty() => "feasible",
        _ => "refused",
    };
    let number = |of: &Value, path: &str| of.i64_at(path).unwrap_or_default();
    let scores = node.list_at("scores").iter().map(|it| Score {
        plugin: text(it, "plugin"),
        score: number(it, "score"),
        weight: number(it, "weight"),
    });
    DecisionRow {
        verdict: verdict.to_owned(),
        text: refused.join("; "),
        scores: scores.collect(),
        total: number(node, "total"),
        node: name,
    }
}

/// A node as the DaemonSet controller saw it.
fn placed(_status: &Value, node: &Value) -> DecisionRow {
    let should_run = node.bool_at("shouldRun") == Some(true);
    let verdict = match (should_run, node.bool_at("hasPod") == Some(true)) {
        (true, true) => "runs",
        (true, false) => "should run",
        (false, true) => "may stay",
        (false, false) => "may not run",
    };
    DecisionRow {
        node: text(node, "name"),
        verdict: verdict.to_owned(),
        text: text(node, "message"),
        ..DecisionRow::default()
    }
}
