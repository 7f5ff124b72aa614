//! `diff`: what `apply` would change.

use value::{Map, Value, json, yaml};

use super::{Command, FILES, Help, SELECTOR, apply};
use crate::api::{self, Url};
use crate::failure::{Failure, Result};
use crate::manifest::Info;
use crate::shell::{Cx, Flow};

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "diff",
    help: || Help { usage: "-f FILENAME", about: "Diff the live version against a would-be applied version" },
    flags: &[
        FILES,
        SELECTOR,
        "server-side:b force-conflicts:b field-manager:s show-managed-fields:b show-secrets:b concurrency:i prune:b \
         prune-allowlist:a",
    ],
    run: |cx| diff(cx).map_err(with_code),
}];

/// Lines around a change.
const CONTEXT: usize = 3;
/// Pairs of lines that are compared at most.
const PAIRS_MAX: usize = 4_000_000;

/// Exit code 1 means differences; a failure is 2.
fn with_code(failure: Failure) -> Failure {
    match failure {
        Failure::Exit(code) => Failure::Exit(code),
        failure => Failure::Coded(Box::new(failure), 2),
    }
}

fn diff(cx: &mut Cx<'_>) -> Result<Flow> {
    if !cx.flags().args.is_empty() {
        return crate::failure::usage("diff", &format!("Unexpected args: [{}]", cx.flags().args.join(" ")));
    }
    cx.require_files()?;
    if cx.is("force-conflicts") && !cx.is("server-side") {
        return Err("--force-conflicts only works with --server-side".into());
    }
    let mut out = String::new();
    for info in cx.manifests()? {
        let info = info?;
        let live = match cx.live(&info) {
            Err(failure) if failure.is_not_found() => None,
            live => Some(live?),
        };
        let merged = merged(cx, &info, live.as_ref())?;
        out.push_str(&compare(cx, &info, live, merged));
    }
    if out.is_empty() {
        return Ok(Flow::Done);
    }
    cx.out(&out);
    Err(Failure::Exit(1))
}

/// What the server would make of the manifest.
fn merged(cx: &mut Cx<'_>, info: &Info, live: Option<&Value>) -> Result<Value> {
    let by_server = cx.is("server-side");
    let default = if by_server { "kubectl" } else { "kubectl-client-side-apply" };
    let manager = cx.flags().text_or("field-manager", default).to_owned();
    let with = |url: Url| url.with("dryRun", "All").with("fieldManager", &manager);
    if by_server {
        let force = if cx.is("force-conflicts") { "true" } else { "false" };
        let body = json::to_string(&info.object).into_bytes();
        let url = with(info.url()).with("force", force);
        let bytes = cx.raw(http::Method::PATCH, &url, api::JSON, api::APPLY_PATCH, body)?;
        return json::parse(&bytes).map_err(|it| Failure::Text(it.to_string()));
    }
    let Some(live) = live else { return cx.post(&with(info.collection()), &info.object) };
    let modified = json::parse(apply::last_applied_text(&info.object).as_bytes()).unwrap_or_default();
    let patch = apply::patch_for(cx, info, &modified, live);
    if patch.patch.as_map().is_some_and(Map::is_empty) {
        return Ok(live.clone());
    }
    cx.patch(&with(info.url()), patch.content_type, &patch.patch).map_err(|it| it.while_doing("patching", &info.source))
}

fn compare(cx: &Cx<'_>, info: &Info, live: Option<Value>, merged: Value) -> String {
    let (mut from, mut to) = (live.unwrap_or_default(), merged);
    if !cx.is("show-managed-fields") {
        from.remove("metadata.managedFields");
        to.remove("metadata.managedFields");
    }
    if info.resource.is("", "Secret") && !cx.is("show-secrets") {
        mask(&mut from, &mut to);
    }
    let group = if info.resource.group.is_empty() { String::new() } else { format!("{}.", info.resource.group) };
    let resource = &info.resource;
    let name = format!("{group}{}.{}.{}.{}", resource.version, resource.kind, info.namespace, info.name);
    let text = |it: &Value| if it.is_null() { String::new() } else { yaml::emit(it) };
    let hunks = unified(&text(&from), &text(&to));
    if hunks.is_empty() {
        return String::new();
    }
    let time = value::time::format_secs(cx.now()).replace('T', " ").replace('Z', ".000000000 +0000");
    let (a, b) = (format!("/tmp/LIVE-0/{name}"), format!("/tmp/MERGED-0/{name}"));
    format!("diff -u -N {a} {b}\n--- {a}\t{time}\n+++ {b}\t{time}\n{hunks}")
}

/// Hides what secrets hold; what differs can still be told apart.
fn mask(from: &mut Value, to: &mut Value) {
    let data = |it: &Value| it.map_at("data").cloned().unwrap_or_default();
    let (before, after) = (data(from), data(to));
    let masked = |map: &Map, other: &Map, changed: &str| -> Map {
        map.iter()
            .map(|(key, value)| {
                let text = if other.get(key).is_some_and(|it| it != value) { changed } else { "***" };
                (key.clone(), text.into())
            })
            .collect()
    };
    if !before.is_empty() {
        from.set("data", masked(&before, &after, "*** (before)"));
    }
    if !after.is_empty() {
        to.set("data", masked(&after, &before, "*** (after)"));
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Edit {
    Keep,
    Delete,
    Insert,
}

/// The shortest way from `a` to `b`, line by line.
fn edits(a: &[&str], b: &[&str]) -> Vec<Edit> {
    let n_prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[n_prefix..], &b[n_prefix..]);
    let n_suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - n_suffix], &b[..b.len() - n_suffix]);
    let mut res = vec![Edit::Keep; n_prefix];
    if a.len().saturating_mul(b.len()) > PAIRS_MAX {
        res.extend(std::iter::repeat_n(Edit::Delete, a.len()));
        res.extend(std::iter::repeat_n(Edit::Insert, b.len()));
    } else {
        let width = b.len() + 1;
        let mut common = vec![0u32; (a.len() + 1) * width];
        for idx in (0..a.len()).rev() {
            for jdx in (0..b.len()).rev() {
                common[idx * width + jdx] = match a[idx] == b[jdx] {
                    true => common[(idx + 1) * width + jdx + 1] + 1,
                    false => common[(idx + 1) * width + jdx].max(common[idx * width + jdx + 1]),
                };
            }
        }
        let (mut idx, mut jdx) = (0, 0);
        while idx < a.len() || jdx < b.len() {
            if idx < a.len() && jdx < b.len() && a[idx] == b[jdx] {
                res.push(Edit::Keep);
                idx += 1;
                jdx += 1;
            } else if idx < a.len()
                && (jdx == b.len() || common[(idx + 1) * width + jdx] >= common[idx * width + jdx + 1])
            {
                res.push(Edit::Delete);
                idx += 1;
            } else {
                res.push(Edit::Insert);
                jdx += 1;
            }
        }
    }
    res.extend(std::iter::repeat_n(Edit::Keep, n_suffix));
    res
}

/// The hunks of `diff -u`.
fn unified(from: &str, to: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let edits = edits(&a, &b);
    let changes: Vec<usize> =
        edits.iter().enumerate().filter(|(_, it)| **it != Edit::Keep).map(|(idx, _)| idx).collect();
    let mut out = String::new();
    let mut next = 0;
    while let Some(&first) = changes.get(next) {
        let mut last = first;
        while let Some(&it) = changes.get(next).filter(|it| **it <= last + 2 * CONTEXT + 1) {
            last = it;
            next += 1;
        }
        let (begin, end) = (first.saturating_sub(CONTEXT), (last + CONTEXT + 1).min(edits.len()));
        let count = |edits: &[Edit], skip: Edit| edits.iter().filter(|it| **it != skip).count();
        let (mut idx, mut jdx) = (count(&edits[..begin], Edit::Insert), count(&edits[..begin], Edit::Delete));
        let (n_old, n_new) = (count(&edits[begin..end], Edit::Insert), count(&edits[begin..end], Edit::Delete));
        let range = |start: usize, n: usize| match n {
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            n => format!("{},{n}", start + 1),
        };
        out.push_str(&format!("@@ -{} +{} @@\n", range(idx, n_old), range(jdx, n_new)));
        for edit in &edits[begin..end] {
            let (sign, line) = match edit {
                Edit::Keep => (' ', a[idx]),
                Edit::Delete => ('-', a[idx]),
                Edit::Insert => ('+', b[jdx]),
            };
            idx += usize::from(*edit != Edit::Insert);
            jdx += usize::from(*edit != Edit::Delete);
            out.push_str(&format!("{sign}{line}\n"));
        }
    }
    out
}
