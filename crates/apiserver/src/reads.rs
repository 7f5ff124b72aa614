//! Lists and watches as requests ask for them (`handlers.ListResource`).

use kinds::{Kind, Served, ServedKind};
use meta::Status;
use sim::Instant;
use value::Value;

use crate::http_types::StreamId;
use crate::list::{list, selection};
use crate::negotiate::{self, Format, JSON, Media};
use crate::options::ListOptions;
use crate::query::Query;
use crate::shapes::Shaper;
use crate::table::Include;
use crate::watch::Subject;
use crate::{ApiServer, layout};

const BINARY: &str = "application/vnd.kubernetes.protobuf;stream=watch";

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Read<'a> {
    pub kind: &'a Kind,
    pub served: Option<&'a Served>,
    /// `None`: all namespaces, or a kind of the cluster.
    pub namespace: Option<&'a str>,
    /// Only under the old prefix `watch/`.
    pub name: Option<&'a str>,
    /// Whether the path says that this is a watch; the query may say so too.
    pub watch: bool,
    pub query: &'a Query,
    /// The header `Accept`.
    pub accept: &'a str,
    pub pretty: bool,
}

/// What comes of it.
pub(crate) enum Answer {
    List(Value, Format),
    /// A stream and its content type.
    Watch(StreamId, &'static str),
}

/// Lists objects, or opens a watch.
///
/// # Errors
/// The API's answer.
pub(crate) fn answer(api: &mut ApiServer, now: Instant, read: &Read<'_>) -> Result<Answer, Status> {
    let Read { kind, served, namespace, query, .. } = *read;
    let media = negotiate::resource(read.accept, true, read.pretty)?;
    let options = ListOptions::read(query, read.watch)?;
    let view = ServedKind { kind, served };
    if !options.watch {
        let page = list(api, &view, namespace, &options)?;
        let value = Shaper::read(api, view, media.shape, query, now.secs())?.list(&page)?;
        return Ok(Answer::List(value, media.format));
    }
    let selection = selection(&view, &options, read.name)?;
    let Media { format, shape } = negotiate::stream(read.accept)?;
    let binary = format == Format::Protobuf && layout::definition(view.group(), view.version(), kind.kind).is_some();
    let include = Include::of(shape, query)?;
    let namespace = namespace.map(Into::into);
    let subject = Subject { kind: kind.id, served: served.copied(), namespace, selection, shape, include, binary };
    api.open_watch(now, subject, &options).map(|id| Answer::Watch(id, if binary { BINARY } else { JSON }))
}
