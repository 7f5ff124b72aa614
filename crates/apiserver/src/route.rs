//! Which resource a path names, as upstream's `RequestInfo` and routes have it.

use meta::Status;

use crate::query::unescape;

/// A path taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Route {
    /// Not under `/api` or `/apis`: the path without a slash at its end.
    Plain(String),
    /// `/api`
    CoreVersions,
    /// `/apis`
    Groups,
    /// `/apis/GROUP`
    Group(String),
    /// `/api/v1`, `/apis/GROUP/VERSION`
    Version { group: String, version: String },
    /// Something under a version.
    Resource(Target),
}

/// `…/namespaces/NS/RESOURCE/NAME/SUB`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Target {
    pub group: String,
    pub version: String,
    /// `None`: the path has no `namespaces/NS`.
    pub namespace: Option<String>,
    pub resource: String,
    pub name: Option<String>,
    /// What follows the name, such as `status` or `proxy/index.html`.
    pub sub: Option<String>,
    /// Under the old prefix `watch/`.
    pub is_watch: bool,
}

/// Takes a path apart. `None` when its escapes are broken.
pub(crate) fn parse(path: &str) -> Option<Route> {
    // An escaped slash is a slash like any other.
    let unescaped = unescape(path, false)?;
    let words: Vec<&str> = unescaped.trim_end_matches('/').split('/').skip(1).collect();
    let path = path.strip_suffix('/').filter(|it| !it.is_empty()).unwrap_or(path);
    Some(match words.as_slice() {
        ["api"] => Route::CoreVersions,
        ["apis"] => Route::Groups,
        ["apis", group] => Route::Group((*group).into()),
        ["api", version] => Route::Version { group: String::new(), version: (*version).into() },
        ["apis", group, version] => Route::Version { group: (*group).into(), version: (*version).into() },
        ["api", version, rest @ ..] => Route::Resource(target("", version, rest)),
        ["apis", group, version, rest @ ..] => Route::Resource(target(group, version, rest)),
        _ => Route::Plain(path.to_owned()),
    })
}

fn target(group: &str, version: &str, rest: &[&str]) -> Target {
    let (is_watch, rest) = match rest {
        ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
        rest => (false, rest),
    };
    let mut target = Target { group: group.into(), version: version.into(), is_watch, ..Target::default() };
    // `namespaces/NS/status` and `namespaces/NS/finalize` are parts of the namespace itself.
    let rest = match rest {
        ["namespaces", namespace, resource, rest @ ..]
            if !(rest.is_empty() && matches!(*resource, "status" | "finalize") && group.is_empty()) =>
        {
            target.namespace = Some((*namespace).into());
            target.resource = (*resource).into();
            rest
        }
        [resource, rest @ ..] => {
            target.resource = (*resource).into();
            rest
        }
        [] => rest,
    };
    if let [name, sub @ ..] = rest {
        target.name = Some((*name).into());
        target.sub = (!sub.is_empty()).then(|| sub.join("/"));
    }
    target
}

/// What go-restful answers where no route matches.
pub(crate) fn unknown() -> Status {
    let mut status = Status::new(404, "NotFound", "the server could not find the requested resource");
    status.details = Some(Box::default());
    status
}

/// What go-restful answers where routes match but for the method.
pub(crate) fn method_not_allowed() -> Status {
    let mut status =
        Status::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
    status.details = Some(Box::default());
    status
}
