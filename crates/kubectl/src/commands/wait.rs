//! `wait`.

use std::collections::VecDeque;

use meta::quoted;
use value::Value;

use super::{Command, FILES, Help, SELECTOR};
use crate::build::{Rules, Target};
use crate::failure::{Failure, Result, fail};
use crate::go;
use crate::jsonpath::{self, Template};
use crate::manifest::Info;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow, Wait};
use crate::watch::{Next, Single};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "wait",
    help: || Help {
        usage: "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
        about: "Wait for a specific condition on one or many resources",
    },
    flags: &[print::FLAGS, FILES, SELECTOR, "for:a timeout:d all:b A/all-namespaces:b field-selector:s local:b"],
    run: wait,
}];

/// A week: how long an endless wait is.
const FOREVER_SECS: i64 = 168 * 3600;

#[derive(Clone)]
enum Condition {
    Created,
    Deleted,
    Status { name: String, status: String },
    Path { template: Template, wanted: Option<String> },
}

fn parse(text: &str) -> Result<Condition> {
    if let Some(condition) = text.strip_prefix("condition=") {
        let (name, status) = condition.split_once('=').unwrap_or((condition, "true"));
        return Ok(Condition::Status { name: name.into(), status: status.into() });
    }
    if let Some(path) = text.strip_prefix("jsonpath=") {
        return parse_path(path);
    }
    match &*text.to_lowercase() {
        "delete" => Ok(Condition::Deleted),
        "create" => Ok(Condition::Created),
        _ => fail(format!("unrecognized condition: {}", quoted(text))),
    }
}

fn parse_path(input: &str) -> Result<Condition> {
    // Two `=` in a row belong to a filter.
    let mut parts = vec![String::new()];
    let mut rest = input;
    while let Some(at) = rest.find('=') {
        let part = parts.last_mut().map(|it| it.push_str(&rest[..at]));
        debug_assert!(part.is_some());
        rest = &rest[at + 1..];
        match rest.strip_prefix('=') {
            Some(after) => {
                parts.iter_mut().last().into_iter().for_each(|it| it.push_str("=="));
                rest = after;
            }
            None => parts.push(String::new()),
        }
    }
    parts.iter_mut().last().into_iter().for_each(|it| it.push_str(rest));
    let (path, wanted) = match parts.as_slice() {
        [path] => (path, None),
        [path, wanted] => (path, Some(wanted.trim_matches(['\'', '"']).to_owned())),
        _ => {
            return fail(
                "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
            );
        }
    };
    let path = jsonpath::relaxed(path).map_err(Failure::Text)?;
    if wanted.as_deref() == Some("") {
        return fail(
            "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
        );
    }
    if path.is_empty() {
        return fail("jsonpath expression cannot be empty");
    }
    Ok(Condition::Path { template: jsonpath::parse(&path).map_err(Failure::Text)?, wanted })
}

impl Condition {
    fn is_met(&self, object: &Value) -> Result<bool> {
        match self {
            Condition::Created => Ok(true),
            Condition::Deleted => Ok(false),
            Condition::Status { name, status } => Ok(status_is(object, name, status)),
            Condition::Path { template, wanted } => {
                let found = template.find(object, true).map_err(Failure::Text)?;
                let first = match found.as_slice() {
                    [] => return Ok(false),
                    [first, ..] if first.is_empty() => return Ok(false),
                    [_, _, ..] => return fail("given jsonpath expression matches more than one list"),
                    [first] => first,
                };
                let [value] = first.as_slice() else {
                    return fail("given jsonpath expression matches more than one value");
                };
                match (wanted, value) {
                    (None, _) => Ok(true),
                    (_, Value::Map(_) | Value::List(_)) => {
                        fail("jsonpath leads to a nested object or list which is not supported")
                    }
                    (Some(wanted), value) => Ok(go::show(value).trim() == wanted.trim()),
                }
            }
        }
    }
}

fn status_is(object: &Value, name: &str, status: &str) -> bool {
    let conditions = object.list_at("status.conditions");
    let named = |it: &&Value| it.str_at("type").is_some_and(|it| it.eq_ignore_ascii_case(name));
    let Some(condition) = conditions.iter().find(named) else { return false };
    let Some(actual) = condition.str_at("status") else { return false };
    if let Some(generation) = object.i64_at("metadata.generation") {
        let observed = condition.i64_at("observedGeneration").or_else(|| object.i64_at("status.observedGeneration"));
        if observed.is_some_and(|it| it < generation) {
            return false;
        }
    }
    actual.eq_ignore_ascii_case(status)
}

fn wait(cx: &mut Cx<'_>) -> Result<Flow> {
    let given: Vec<String> = cx.flags().all("for").iter().map(|it| (*it).to_owned()).collect();
    if given.is_empty() {
        return fail("unrecognized condition: []");
    }
    let conditions: Vec<Condition> = given.iter().map(|it| parse(it)).collect::<Result<_>>()?;
    let timeout = match cx.flags().seconds("timeout", 30) {
        it if it < 0 => FOREVER_SECS,
        it => it,
    };
    let for_create = given.iter().any(|it| it.eq_ignore_ascii_case("create"));
    let for_delete = given.iter().any(|it| it.eq_ignore_ascii_case("delete"));
    let all = cx.is("all");
    let rules = Rules { all_of_type: all, all, latest: true, ..Rules::default() };
    let targets = cx.targets(&rules)?.list;
    let printer = Printer::from_flags(cx)?;
    let deadline = cx.now() + timeout;
    let waiting = Waiting {
        targets,
        rules,
        conditions,
        printer,
        timeout,
        deadline,
        for_delete,
        creation_pending: for_create,
        left: None,
        current: None,
        condition_idx: 0,
        n_visited: 0,
        failures: Vec::new(),
    };
    Ok(Flow::Wait(Box::new(waiting)))
}

struct Waiting {
    targets: Vec<Target>,
    rules: Rules,
    conditions: Vec<Condition>,
    printer: Printer,
    timeout: i64,
    deadline: i64,
    for_delete: bool,
    /// Nothing is looked at before everything is there.
    creation_pending: bool,
    left: Option<VecDeque<Info>>,
    current: Option<Single>,
    condition_idx: usize,
    n_visited: usize,
    failures: Vec<Failure>,
}

const TIMED_OUT: &str = "timed out waiting for the condition";

impl Waiting {
    /// The objects, once they are there; `None` where that must be waited for.
    fn find(&mut self, cx: &mut Cx<'_>) -> Result<Option<VecDeque<Info>>> {
        let mut found = VecDeque::new();
        for target in self.targets.clone() {
            match cx.resolve(target, &self.rules) {
                Ok(infos) => found.extend(infos),
                Err(failure) if failure.is_not_found() && self.for_delete => {}
                Err(failure) if failure.is_not_found() && self.creation_pending => {
                    return if cx.now() >= self.deadline { fail(TIMED_OUT) } else { Ok(None) };
                }
                Err(failure) if !self.creation_pending => self.failures.push(failure),
                Err(failure) => return Err(failure),
            }
        }
        if self.creation_pending && found.is_empty() {
            return if cx.now() >= self.deadline { fail(TIMED_OUT) } else { Ok(None) };
        }
        self.creation_pending = false;
        Ok(Some(found))
    }

    /// Whether the first object meets its next condition; then it is printed.
    fn step(&mut self, cx: &mut Cx<'_>, info: &Info) -> Result<bool> {
        let Some(condition) = self.conditions.get(self.condition_idx).cloned() else { return Ok(true) };
        let late = || Failure::Text(format!("{TIMED_OUT} on {}/{}", info.resource.plural, info.name));
        let unmet = || Failure::Text(format!("condition not met for {}/{}", info.resource.plural, info.name));
        if matches!(condition, Condition::Created) {
            return self.met(cx, &info.object);
        }
        let is_delete = matches!(condition, Condition::Deleted);
        if self.current.is_none() {
            match cx.live(info) {
                Err(failure) if failure.is_not_found() && is_delete => return self.met(cx, &info.object),
                Err(failure) if self.timeout == 0 || is_delete => return Err(failure),
                Ok(object) if self.timeout == 0 => {
                    return if condition.is_met(&object)? { self.met(cx, &object) } else { Err(unmet()) };
                }
                _ => {}
            }
            let single = Single::open(cx, info, Some(self.deadline))?;
            if !single.exists {
                if is_delete {
                    return self.met(cx, &info.object);
                }
                let status = meta::Status::not_found(&info.resource.group, &info.resource.plural, &info.name);
                return Err(Failure::Status(status.to_value()));
            }
            self.current = Some(single);
        }
        let Some(single) = &mut self.current else { return Ok(false) };
        loop {
            match single.next(cx)? {
                Next::Event(event) if event.kind == "DELETED" => {
                    if is_delete {
                        return self.met(cx, &event.object);
                    }
                }
                Next::Event(event) => {
                    if condition.is_met(&event.object)? {
                        return self.met(cx, &event.object);
                    }
                }
                Next::Nothing => return Ok(false),
                Next::End if cx.now() >= self.deadline => return Err(late()),
                Next::End => {
                    self.current = None;
                    return Ok(false);
                }
            }
        }
    }

    fn met(&mut self, cx: &mut Cx<'_>, object: &Value) -> Result<bool> {
        self.current = None;
        self.condition_idx += 1;
        self.printer.print(cx, object, "condition met")?;
        Ok(true)
    }
}

impl Wait for Waiting {
    fn poll(&mut self, cx: &mut Cx<'_>) -> Result<Flow> {
        if self.left.is_none() {
            match self.find(cx)? {
                Some(found) => self.left = Some(found),
                None => return Ok(Flow::Waiting),
            }
        }
        while let Some(info) = self.left.as_ref().and_then(|it| it.front().cloned()) {
            self.n_visited += usize::from(self.condition_idx == 0 && self.current.is_none());
            while self.condition_idx < self.conditions.len() {
                match self.step(cx, &info) {
                    Ok(true) => {}
                    Ok(false) => return Ok(Flow::Waiting),
                    Err(failure) => {
                        self.failures.push(failure);
                        self.current = None;
                        break;
                    }
                }
            }
            self.condition_idx = 0;
            self.left.iter_mut().for_each(|it| drop(it.pop_front()));
        }
        Failure::all(std::mem::take(&mut self.failures))?;
        if self.n_visited == 0 && !self.for_delete {
            return fail("no matching resources found");
        }
        Ok(Flow::Done)
    }
}
