//! `taint`.

use value::{Value, value};

use super::{Command, DRY_RUN, DryRun, Help, SELECTOR};
use crate::api::STRATEGIC_PATCH;
use crate::build::Rules;
use crate::failure::{Failure, Result, fail, usage};
use crate::manifest::Info;
use crate::print::{self, Printer};
use crate::shell::{Cx, Flow};
use meta::quoted;

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "taint",
    help: || Help {
        usage: "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
        about: "Update the taints on one or more nodes",
    },
    flags: &[print::FLAGS, SELECTOR, DRY_RUN, "all:b overwrite:b validate:s=strict field-manager:s"],
    run: taint,
}];

#[derive(Clone, PartialEq)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

impl Taint {
    fn shown(&self) -> String {
        match (&*self.effect, &*self.value) {
            ("", _) => self.key.clone(),
            (effect, "") => format!("{}:{effect}", self.key),
            (effect, value) => format!("{}={value}:{effect}", self.key),
        }
    }

    fn parse(text: &str) -> Result<Taint> {
        let invalid = || Failure::Text(format!("invalid taint spec: {text}"));
        let (pair, effect) = match text.split(':').collect::<Vec<_>>()[..] {
            [key] => (key, ""),
            [pair, effect] => (pair, effect),
            _ => return Err(invalid()),
        };
        if text.contains(':') && !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            return fail(format!("invalid taint effect: {effect}, unsupported taint effect"));
        }
        let (key, value) = match effect {
            "" => (pair, ""),
            _ => pair.split_once('=').unwrap_or((pair, "")),
        };
        if value.contains('=') {
            return Err(invalid());
        }
        let problems = meta::names::label_value(value);
        if !problems.is_empty() {
            return fail(format!("invalid taint spec: {text}, {}", problems.join("; ")));
        }
        let problems = meta::names::qualified_name(key);
        if !problems.is_empty() {
            return fail(format!("invalid taint spec: {text}, {}", problems.join("; ")));
        }
        Ok(Taint { key: key.into(), value: value.into(), effect: effect.into() })
    }
}

fn parse(words: &[String]) -> Result<(Vec<Taint>, Vec<Taint>)> {
    let (mut add, mut remove): (Vec<Taint>, Vec<Taint>) = (Vec::new(), Vec::new());
    for word in words {
        if let Some(text) = word.strip_suffix('-') {
            remove.push(Taint { value: String::new(), ..Taint::parse(text)? });
            continue;
        }
        let taint = Taint::parse(word)?;
        if taint.effect.is_empty() {
            return fail(format!("invalid taint spec: {word}"));
        }
        if add.iter().any(|it| it.key == taint.key && it.effect == taint.effect) {
            return fail(format!(
                "duplicated taints with the same key and effect: {{{} {} {} <nil>}}",
                taint.key, taint.value, taint.effect
            ));
        }
        add.push(taint);
    }
    Ok((add, remove))
}

fn taint(cx: &mut Cx<'_>) -> Result<Flow> {
    let args = cx.flags().args.clone();
    let is_change = |it: &&String| it.contains('=') || it.ends_with('-') || it.contains(':');
    let n_objects = args.iter().position(|it| is_change(&it)).unwrap_or(args.len());
    let (objects, words) = args.split_at(n_objects);
    if let Some(word) = words.iter().find(|it| !is_change(it)) {
        return fail(format!("all resources must be specified before taint changes: {word}"));
    }
    let Some(kind) = objects.first() else {
        return fail("one or more resources must be specified as <resource> <name>");
    };
    if words.is_empty() {
        return fail("at least one taint update is required");
    }
    let (add, remove) = match parse(words) {
        Ok(it) => it,
        Err(failure) => return usage("taint", &failure.message()),
    };
    let resource = cx.resource(kind)?;
    if resource.kind != "Node" {
        return fail(format!("invalid resource type {}, only node types are supported", kind.to_lowercase()));
    }
    let both: Vec<String> = add
        .iter()
        .flat_map(|a| remove.iter().filter(move |r| a.key == r.key && (r.effect.is_empty() || r.effect == a.effect)))
        .map(|it| format!("{}={}", it.key, it.effect))
        .collect();
    if !both.is_empty() {
        return fail(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            both.join(", ")
        ));
    }
    let (all, by_selector) = (cx.is("all"), cx.flags().changed("selector"));
    if all && by_selector {
        return fail("setting 'all' parameter with a non empty selector is prohibited");
    }
    if !all && !by_selector && objects.len() < 2 {
        return fail("at least one resource name must be specified since 'all' parameter is not set");
    }
    let dry_run = DryRun::of(cx)?;
    let mut printer = Printer::from_flags(cx)?;
    let args = if all || by_selector { vec!["nodes".to_owned()] } else { objects.to_vec() };
    let rules = Rules { all, args: Some(args), ..Rules::default() };
    cx.visit(&rules, &mut |cx, info| one(cx, info, &add, &remove, dry_run, &mut printer))?;
    Ok(Flow::Done)
}

fn one(
    cx: &mut Cx<'_>,
    info: &Info,
    add: &[Taint],
    remove: &[Taint],
    dry_run: DryRun,
    printer: &mut Printer,
) -> Result<()> {
    let old = info.object.list_at("spec.taints");
    let is = |it: &Value, taint: &Taint| {
        it.str_at("key") == Some(&*taint.key)
            && (taint.effect.is_empty() || it.str_at("effect") == Some(&*taint.effect))
    };
    let overwrite = cx.is("overwrite");
    let taken: Vec<&str> =
        add.iter().filter(|it| old.iter().any(|old| is(old, it))).map(|it| it.key.as_str()).collect();
    if !overwrite && !taken.is_empty() {
        return fail(format!(
            "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
            info.name,
            taken.join(",")
        ));
    }
    let mut taints: Vec<Value> = add
        .iter()
        .map(|it| {
            let mut taint = value!({"effect": it.effect.as_str(), "key": it.key.as_str()});
            if !it.value.is_empty() {
                taint.set("value", it.value.as_str());
            }
            taint
        })
        .collect();
    taints.extend(old.iter().filter(|old| !add.iter().any(|it| is(old, it))).cloned());
    let added = taints.len() != old.len();
    let mut failures = Vec::new();
    let mut deleted = false;
    for taint in remove {
        let before = taints.len();
        taints.retain(|it| !is(it, taint));
        deleted = taints.len() != before;
        if !deleted {
            failures.push(Failure::Text(format!("taint {} not found", quoted(&taint.shown()))));
        }
    }
    Failure::all(failures)?;
    let operation = match () {
        () if (added && deleted) || overwrite => "modified",
        () if added => "tainted",
        () => "untainted",
    };
    let patch = match taints.is_empty() {
        true => value!({"spec": {"taints": null}}),
        false => value!({"spec": {"taints": taints}}),
    };
    let object = match dry_run {
        DryRun::Client => crate::strategic::merged(&info.object, &patch),
        _ => {
            let manager = cx.flags().text_or("field-manager", "kubectl-taint").to_owned();
            let url = info.url().with("dryRun", dry_run.parameter()).with("fieldManager", &manager);
            cx.patch(&url.with("fieldValidation", cx.validation()?), STRATEGIC_PATCH, &patch)?
        }
    };
    // The real command forgets to say that it was a dry run.
    printer.print(cx, &object, operation)
}
