//! Options of requests, read from the query and checked as upstream checks them.

use meta::selector::{FieldSelector, LabelSelector};
use meta::{Errors, Problem, Status};
use value::{Str, Value, value};

use crate::query::{Query, parse_uint};

const FIELD_MANAGER_MAX: usize = 128;

/// What happens to unknown and repeated fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

/// Options of create, update and patch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WriteOptions {
    pub dry_run: bool,
    /// Empty: named after the client.
    pub manager: Str,
    pub validation: FieldValidation,
    pub force: Option<bool>,
}

/// Whose options they are: the kind in error texts, and what is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OptionsOf {
    Create,
    Update,
    Patch,
    Apply,
}

impl WriteOptions {
    pub fn read(query: &Query, of: OptionsOf) -> Result<WriteOptions, Status> {
        let mut errors = Errors::new();
        let manager = query.get("fieldManager").unwrap_or_default();
        let force = query.flag("force");
        match of {
            OptionsOf::Apply if manager.is_empty() => errors.required("fieldManager", "is required for apply patch"),
            OptionsOf::Patch if force.is_some() => {
                errors.forbidden("force", "may not be specified for non-apply patch")
            }
            _ => (),
        }
        check_manager(manager, &mut errors);
        let dry_run: Vec<Value> = query.all("dryRun").map(Value::from).collect();
        let dry_run = self::dry_run(&dry_run, &mut errors);
        let validation = match query.get("fieldValidation").unwrap_or_default() {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                errors.not_supported("fieldValidation", other, &["", "Ignore", "Strict", "Warn"]);
                FieldValidation::Warn
            }
        };
        let kind = match of {
            OptionsOf::Create => "CreateOptions",
            OptionsOf::Update => "UpdateOptions",
            OptionsOf::Patch | OptionsOf::Apply => "PatchOptions",
        };
        if !errors.is_empty() {
            return Err(Status::invalid("meta.k8s.io", kind, "", &errors));
        }
        Ok(WriteOptions { dry_run, manager: manager.into(), validation, force })
    }
}

fn check_manager(manager: &str, errors: &mut Errors) {
    if manager.len() > FIELD_MANAGER_MAX {
        errors.too_long("fieldManager", FIELD_MANAGER_MAX);
    }
    for (at, c) in manager.char_indices().filter(|(_, c)| c.is_control() || (c.is_whitespace() && *c != ' ')) {
        errors.invalid("fieldManager", manager, format!("invalid character U+{:04X} (at position {at})", u32::from(c)));
    }
}

/// Whether a list of dry run directives asks for one; anything but `All` is an error.
pub(crate) fn dry_run(list: &[Value], errors: &mut Errors) -> bool {
    if list.iter().any(|it| it.as_str() != Some("All")) {
        errors.push("dryRun", Problem::NotSupported(Value::from(list.to_vec()), vec!["All".into()]), "");
    }
    !list.is_empty()
}

/// How a list's `resourceVersion` is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Match {
    /// Not said.
    Legacy,
    Exact,
    NotOlderThan,
}

/// Options of list and watch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ListOptions {
    pub labels: LabelSelector,
    pub fields: FieldSelector,
    pub watch: bool,
    pub bookmarks: bool,
    /// As the client wrote it.
    pub resource_version: String,
    pub version_match: Match,
    pub timeout_seconds: Option<i64>,
    /// Zero: no limit.
    pub limit: i64,
    pub continue_token: String,
    pub send_initial_events: bool,
}

impl ListOptions {
    /// Reads and checks them. `watch` in the path counts as in the query.
    pub fn read(query: &Query, watch: bool) -> Result<ListOptions, Status> {
        let bad = |why: String| Status::bad_request(why);
        let labels = LabelSelector::parse(query.get("labelSelector").unwrap_or_default()).map_err(bad)?;
        let fields = FieldSelector::parse(query.get("fieldSelector").unwrap_or_default()).map_err(bad)?;
        let limit = query.int("limit").map_err(bad)?.unwrap_or(0);
        let timeout_seconds = query.int("timeoutSeconds").map_err(bad)?;
        let watch = watch || query.flag("watch").unwrap_or(false);
        let resource_version = query.get("resourceVersion").unwrap_or_default().to_owned();
        let mut version_match = query.get("resourceVersionMatch").unwrap_or_default();
        let mut send_initial_events = query.flag("sendInitialEvents");
        let from_any = matches!(resource_version.as_str(), "" | "0");
        // A watch from nowhere in particular begins with what there is (`SetListOptionsDefaults`).
        if watch && from_any && send_initial_events.is_none() && version_match.is_empty() {
            send_initial_events = Some(true);
            version_match = "NotOlderThan";
        }
        let continue_token = query.get("continue").unwrap_or_default().to_owned();
        let mut errors = Errors::new();
        if watch {
            check_watch(version_match, send_initial_events, &continue_token, &mut errors);
        } else {
            check_list(version_match, &resource_version, send_initial_events, &continue_token, &mut errors);
        }
        if !errors.is_empty() {
            return Err(Status::invalid("meta.k8s.io", "ListOptions", "", &errors));
        }
        let version_match = match version_match {
            "Exact" => Match::Exact,
            "NotOlderThan" => Match::NotOlderThan,
            _ => Match::Legacy,
        };
        Ok(ListOptions {
            labels,
            fields,
            watch,
            bookmarks: query.flag("allowWatchBookmarks").unwrap_or(false),
            resource_version,
            version_match,
            timeout_seconds,
            limit: limit.max(0),
            continue_token,
            send_initial_events: send_initial_events.unwrap_or(false),
        })
    }
}

const MATCH: &str = "resourceVersionMatch";

fn check_list(version_match: &str, version: &str, send_initial_events: Option<bool>, token: &str, errors: &mut Errors) {
    if !version_match.is_empty() {
        if version.is_empty() {
            errors.forbidden(MATCH, "resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if !token.is_empty() {
            errors.forbidden(MATCH, "resourceVersionMatch is forbidden when continue is provided");
        }
        if !matches!(version_match, "Exact" | "NotOlderThan") {
            errors.not_supported(MATCH, version_match, &["Exact", "NotOlderThan", ""]);
        }
        if version_match == "Exact" && version == "0" {
            errors.forbidden(MATCH, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
    }
    if send_initial_events.is_some() {
        errors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
    }
}

fn check_watch(version_match: &str, send_initial_events: Option<bool>, token: &str, errors: &mut Errors) {
    if send_initial_events.is_some() && version_match != "NotOlderThan" {
        errors.forbidden(MATCH, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if version_match.is_empty() {
        return;
    }
    if send_initial_events.is_none() {
        errors.forbidden(MATCH, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if version_match != "NotOlderThan" {
        errors.not_supported(MATCH, version_match, &["NotOlderThan"]);
    }
    if !token.is_empty() {
        errors.forbidden(MATCH, "resourceVersionMatch is forbidden when continue is provided");
    }
}

/// A `resourceVersion` of a client; empty is zero.
pub(crate) fn resource_version(text: &str) -> Result<u64, Status> {
    if text.is_empty() {
        return Ok(0);
    }
    parse_uint(text).map_err(|why| {
        Status::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: {}: {why}",
            meta::quoted(text)
        ))
    })
}

/// Delete options of a query, in the form of a body.
pub(crate) fn delete_options(query: &Query) -> Result<Value, Status> {
    let mut options = value!({});
    if let Some(seconds) = query.int("gracePeriodSeconds").map_err(Status::bad_request)? {
        options.set("gracePeriodSeconds", seconds);
    }
    if let Some(flag) = query.flag("orphanDependents") {
        options.set("orphanDependents", flag);
    }
    if let Some(policy) = query.get("propagationPolicy") {
        options.set("propagationPolicy", policy);
    }
    for name in ["uid", "resourceVersion"] {
        if let Some(text) = query.text(name) {
            options.set(&format!("preconditions.{name}"), text);
        }
    }
    let dry_run: Vec<Value> = query.all("dryRun").map(Value::from).collect();
    if !dry_run.is_empty() {
        options.set("dryRun", dry_run);
    }
    Ok(options)
}
