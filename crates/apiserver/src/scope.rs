//! One request for a resource, understood: what it is about and how the client wants its answer.

use kinds::{Kind, Registry, Served, ServedKind};
use meta::{Key, Status};
use sim::Instant;
use value::Str;

use crate::negotiate::Format;
use crate::query::Query;
use crate::route::{self, Target};
use crate::user::User;
use crate::{Caller, write::Write};

/// What headers say of the client and of its body.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Client {
    pub accept: String,
    pub content_type: String,
    pub user_agent: String,
    pub user: User,
}

/// A call of a resource.
pub(crate) struct Call {
    pub now: Instant,
    pub kind: &'static Kind,
    /// The version that the client speaks; `None`: the stored one.
    pub served: Option<Served>,
    /// `None`: the path names none.
    pub namespace: Option<Str>,
    pub name: Option<Str>,
    /// Empty for the object itself.
    pub sub: &'static str,
    pub query: Query,
    pub client: Client,
    pub body: Vec<u8>,
    pub is_watch: bool,
    /// For `Warning` headers.
    pub warnings: Vec<String>,
}

/// The resource that a target names, with its subresource's own name.
pub(crate) fn resolve(registry: &Registry, target: &Target) -> Result<(ServedKind<'static>, &'static str), Status> {
    let served = registry.by_resource(&target.group, &target.version, &target.resource).ok_or_else(route::unknown)?;
    let kind = served.kind;
    let fits = match (&target.namespace, &target.name) {
        (Some(_), _) => kind.is_namespaced(),
        // Without a namespace there are only the list of all and, for what lives in none, single objects.
        (None, Some(_)) => !kind.is_namespaced(),
        (None, None) => true,
    };
    if !fits {
        return Err(route::unknown());
    }
    let Some(sub) = &target.sub else { return Ok((served, "")) };
    let first = sub.split('/').next().unwrap_or_default();
    let part = kind.subresources.iter().find(|it| it.name == first).ok_or_else(route::unknown)?;
    let is_whole = sub.len() == first.len();
    if is_whole || part.name == "proxy" { Ok((served, part.name)) } else { Err(route::unknown()) }
}

impl Call {
    pub fn served_kind(&self) -> ServedKind<'_> {
        ServedKind { kind: self.kind, served: self.served.as_ref() }
    }

    /// Where the named object is.
    pub fn key(&self) -> Key {
        Key { namespace: self.namespace.clone().unwrap_or_default(), name: self.name.clone().unwrap_or_default() }
    }

    pub fn pretty(&self) -> bool {
        crate::negotiate::pretty(&self.query, &self.client.user_agent)
    }

    /// The format in which a failure is told.
    pub fn status_format(&self) -> Format {
        crate::negotiate::for_status(&self.client.accept, self.pretty())
    }

    /// A write by this client.
    pub fn write(&self, manager: &Str, dry_run: bool) -> Write {
        Write {
            kind: self.kind,
            served: self.served,
            api_version: self.served_kind().api_version().into(),
            now: self.now,
            manager: if manager.is_empty() { self.client.manager() } else { manager.clone() },
            sub: self.sub,
            dry_run,
            from_actor: false,
            warnings: Vec::new(),
        }
    }

    pub fn not_found(&self) -> Status {
        Status::not_found(self.kind.group, self.kind.plural, self.name.as_deref().unwrap_or(""))
    }
}

/// The longest name of a field manager that is taken from a client's name.
const MANAGER_MAX: usize = 128;

impl Client {
    /// The field manager of a client that names none: what stands before the first slash of its name
    /// (`prefixFromUserAgent`).
    pub fn manager(&self) -> Str {
        let prefix = self.user_agent.split('/').next().unwrap_or_default();
        let mut cut = String::new();
        for letter in prefix.chars().filter(|it| !it.is_control()) {
            if cut.len() + letter.len_utf8() > MANAGER_MAX {
                break;
            }
            cut.push(letter);
        }
        if cut.is_empty() { "unknown".into() } else { cut.into() }
    }

    /// For the ring of requests.
    pub fn caller(&self) -> Caller {
        let manager = self.manager();
        Caller { component: manager.clone(), user: self.user.name.clone(), manager, event_source: "", cause: None }
    }
}
