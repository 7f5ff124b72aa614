//! Lists: which objects, of which moment, in which pages (`storage.GetList` behind the watch cache).

use std::sync::Arc;

use kinds::{Kind, ServedKind};
use meta::{Cause, Key, Object, Revision, Status};
use store::Store;
use value::{Map, Str, Value, json, map};

use crate::ApiServer;
use crate::components;
use crate::digest::{base64_url, from_base64_url};
use crate::options::{ListOptions, Match, resource_version};
use crate::selectors::{Selection, stored_fields};

/// Some objects of a kind, in the order of namespace and name, and what the list says of itself.
pub(crate) struct Page {
    pub objects: Vec<Arc<Object>>,
    /// `resourceVersion`; `continue` and `remainingItemCount` where there is more.
    pub metadata: Map,
}

const TOKEN_VERSION: &str = "meta.k8s.io/v1";

const LIST_EXPIRED: &str = "The resourceVersion for the provided list is too old.";
const TOKEN_EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. You can start a new \
     list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. \
     Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted \
     between the time the first chunk was returned and now may show up in the list.";

/// Which objects of a kind a request is about.
///
/// # Errors
/// 400 where the kind has no such field, or a name is selected beside another one.
pub(crate) fn selection(
    served: &ServedKind<'_>,
    options: &ListOptions,
    name: Option<&str>,
) -> Result<Selection, Status> {
    let fields = stored_fields(served, &options.fields)?;
    let mut selection = Selection { labels: options.labels.clone(), fields };
    if let Some(name) = name {
        selection.narrow(name)?;
    }
    Ok(selection)
}

/// The objects that `options` ask for; `namespace` of `None` means all.
///
/// # Errors
/// The API's answer: an unknown field, a revision that is past or to come, a broken token.
pub(crate) fn list(
    api: &ApiServer,
    served: &ServedKind<'_>,
    namespace: Option<&str>,
    options: &ListOptions,
) -> Result<Page, Status> {
    let kind = served.kind;
    let selection = selection(served, options, None)?;
    if kind.id == kinds::COMPONENT_STATUS {
        let page = page(kind, &components::statuses(), &selection, usize::MAX, Revision::default(), None);
        return Ok(Page { metadata: Map::new(), ..page });
    }
    let store = api.store_of(kind);
    let namespace = namespace.or_else(|| selection.namespace().filter(|_| kind.is_namespaced()).map(Str::as_str));
    // A list of one name has no pages.
    let one = selection.name().filter(|_| namespace.is_some() || !kind.is_namespaced());
    let paged = one.is_none();
    let start = start(options, namespace, paged)?;
    let exact = exact_revision(store, options, start.as_ref(), paged)?;
    let revision = exact.unwrap_or_else(|| store.revision());
    let all = objects_at(store, kind, namespace, exact, start.as_ref())?;
    let rest = match &start {
        Some(start) => &all[all.partition_point(|it| it.key() < start.key)..],
        None => all.as_slice(),
    };
    let limit = match usize::try_from(options.limit) {
        Ok(limit) if paged && limit > 0 && options.resource_version != "0" => limit,
        // The watch cache answers a list of "any version" whole.
        _ => usize::MAX,
    };
    Ok(page(kind, rest, &selection, limit, revision, namespace))
}

fn page(
    kind: &Kind,
    rest: &[Arc<Object>],
    selection: &Selection,
    limit: usize,
    revision: Revision,
    namespace: Option<&str>,
) -> Page {
    let mut metadata = map!({ "resourceVersion": revision.text() });
    let everything = selection.is_everything();
    let mut objects = Vec::new();
    for (idx, object) in rest.iter().enumerate() {
        if everything || selection.matches(kind, object) {
            objects.push(object.clone());
        }
        if objects.len() == limit && idx + 1 < rest.len() {
            metadata.insert("continue", token(revision.0 as i64, &token_key(object, namespace)));
            // What a selector leaves out is not counted.
            if everything {
                metadata.insert("remainingItemCount", (rest.len() - idx - 1) as i64);
            }
            break;
        }
    }
    Page { objects, metadata }
}

/// Where a continued list goes on.
struct Start {
    /// Negative: at the newest revision.
    revision: i64,
    /// Objects from this key on. Names hold no NUL, so the last object's key and a NUL come right after it.
    key: Key,
    /// As the token had it.
    text: String,
}

fn start(options: &ListOptions, namespace: Option<&str>, paged: bool) -> Result<Option<Start>, Status> {
    if options.continue_token.is_empty() || !paged {
        return Ok(None);
    }
    let (revision, text) = read_token(&options.continue_token)
        .map_err(|why| Status::bad_request(format!("invalid continue token: {why}")))?;
    if !matches!(options.resource_version.as_str(), "" | "0") {
        return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
    }
    let path = text.trim_start_matches('/');
    let key = match (namespace, path.split_once('/')) {
        (Some(namespace), _) => Key::new(namespace, path),
        (None, Some((namespace, name))) => Key::new(namespace, name),
        (None, None) => Key::cluster(path),
    };
    Ok(Some(Start { revision, key, text }))
}

/// The revision at which the list is to be; `None` for the newest.
fn exact_revision(
    store: &Store,
    options: &ListOptions,
    start: Option<&Start>,
    paged: bool,
) -> Result<Option<Revision>, Status> {
    if let Some(start) = start {
        return Ok(u64::try_from(start.revision).ok().map(Revision));
    }
    check_not_older(&options.resource_version, store)?;
    let asked = resource_version(&options.resource_version)?;
    let exact = match options.version_match {
        Match::Exact => true,
        // Pages of "at least this version" are pages of exactly this version.
        Match::Legacy => paged && options.limit > 0 && asked > 0,
        Match::NotOlderThan => false,
    };
    Ok(exact.then_some(Revision(asked)))
}

fn objects_at(
    store: &Store,
    kind: &Kind,
    namespace: Option<&str>,
    exact: Option<Revision>,
    start: Option<&Start>,
) -> Result<Vec<Arc<Object>>, Status> {
    let Some(revision) = exact else { return Ok(store.list(kind.id, namespace).cloned().collect()) };
    store.list_at(kind.id, namespace, revision).map_err(|_| match start {
        Some(start) => {
            let mut status = Status::expired(TOKEN_EXPIRED);
            status.continue_token = token(-1, &start.text);
            status
        }
        None => Status::expired(LIST_EXPIRED),
    })
}

/// 504 for a revision that the store has not come to.
pub(crate) fn too_large(revision: u64, store: &Store) -> Status {
    let mut status =
        Status::timeout(&format!("Too large resource version: {revision}, current: {}", store.revision().0), 1);
    let cause = Cause {
        reason: "ResourceVersionTooLarge".into(),
        message: "Too large resource version".to_owned(),
        ..Cause::default()
    };
    status.details.get_or_insert_default().causes = vec![cause];
    status
}

/// Whether the store has come to the revision that a reader asks for at least.
///
/// # Errors
/// 400 where it is none, 504 where it is still to come.
pub(crate) fn check_not_older(text: &str, store: &Store) -> Result<(), Status> {
    let asked = resource_version(text)?;
    if asked > store.revision().0 { Err(too_large(asked, store)) } else { Ok(()) }
}

/// The place right after an object, relative to the list's own.
fn token_key(object: &Object, namespace: Option<&str>) -> String {
    match namespace {
        None if !object.namespace().is_empty() => format!("{}/{}\0", object.namespace(), object.name()),
        _ => format!("{}\0", object.name()),
    }
}

fn token(revision: i64, start: &str) -> String {
    let mut text = b"{\"v\":\"meta.k8s.io/v1\",\"rv\":".to_vec();
    json::write(&Value::Int(revision), &mut text);
    text.extend_from_slice(b",\"start\":");
    json::write_str(start, &mut text);
    text.push(b'}');
    base64_url(&text)
}

fn read_token(text: &str) -> Result<(i64, String), String> {
    const BAD: &str = "continue key is not valid";
    let bytes = from_base64_url(text).map_err(|why| format!("{BAD}: {why}"))?;
    let token = json::parse(&bytes).map_err(|why| format!("{BAD}: {why}"))?;
    let version = token.str_at("v").unwrap_or_default();
    if version != TOKEN_VERSION {
        return Err(format!("{BAD}: server does not recognize this encoded version {version}"));
    }
    let revision = token.i64_at("rv").unwrap_or(0);
    if revision == 0 {
        return Err(format!("{BAD}: incorrect encoded start resourceVersion (version {TOKEN_VERSION})"));
    }
    let start = token.str_at("start").unwrap_or_default();
    if start.is_empty() {
        return Err(format!("{BAD}: encoded start key empty (version {TOKEN_VERSION})"));
    }
    let path = start.strip_prefix('/').unwrap_or(start);
    // The start must not leave its place.
    if path.is_empty() || path.split('/').any(|it| matches!(it, "" | "." | "..")) {
        return Err(format!("{BAD}: {start}"));
    }
    Ok((revision, start.to_owned()))
}

#[cfg(test)]
mod tests;
