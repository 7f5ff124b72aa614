//! The forms in which clients see objects: whole, as metadata, as a table (`handlers.transformResponseObject`).

use kinds::{Kind, ServedKind};
use meta::{Object, Status};
use value::{Map, Value, map, value};

use crate::ApiServer;
use crate::list::Page;
use crate::negotiate::Shape;
use crate::query::Query;
use crate::table::{Include, Rows, partial};

/// How a client sees objects of a kind.
pub(crate) struct Shaper<'a> {
    api: &'a ApiServer,
    served: ServedKind<'a>,
    pub shape: Shape,
    pub include: Include,
    /// Seconds since the Unix epoch, for ages.
    now: i64,
}

impl<'a> Shaper<'a> {
    pub fn new(api: &'a ApiServer, served: ServedKind<'a>, (shape, include): (Shape, Include), now: i64) -> Shaper<'a> {
        Shaper { api, served, shape, include, now }
    }

    /// Reads what the query says of tables.
    ///
    /// # Errors
    /// 400 for an `includeObject` that does not exist.
    pub fn read(
        api: &'a ApiServer,
        served: ServedKind<'a>,
        shape: Shape,
        query: &Query,
        now: i64,
    ) -> Result<Shaper<'a>, Status> {
        Ok(Shaper::new(api, served, (shape, Include::of(shape, query)?), now))
    }

    /// The whole object in the version that is served.
    pub fn whole(&self, object: &Object) -> Value {
        let ServedKind { kind, served } = self.served;
        let object = &*self.api.seen(object);
        match served {
            Some(it) => (it.to)(object).to_value(&self.served.api_version(), kind.kind),
            None => object.to_value(&self.api.api_version(kind.id), kind.kind),
        }
    }

    /// One object. A table has its columns where `headers` says so.
    ///
    /// # Errors
    /// 406 for the form of a list.
    pub fn object(&self, object: &Object, headers: bool) -> Result<Value, Status> {
        match self.shape {
            Shape::Whole => Ok(self.whole(object)),
            Shape::Metadata(version) => Ok(partial(object, version)),
            Shape::MetadataList(_) => Err(not_acceptable(
                "you requested PartialObjectMetadataList, but the requested object is not a list",
                &self.go_type(""),
            )),
            Shape::Table(version) => {
                let metadata = map!({ "resourceVersion": object.meta.revision.text() });
                Ok(self.table(version, &mut std::iter::once(object), metadata, headers))
            }
        }
    }

    pub fn kind(&self) -> &'a Kind {
        self.served.kind
    }

    /// An object with nothing but a revision and perhaps annotations, as typed decoding would leave it.
    pub fn bookmark(&self, object: &Object, headers: bool) -> Value {
        match self.shape {
            Shape::Metadata(version) => partial(object, version),
            // Whoever left objects out must still learn that all have been sent.
            Shape::Table(version) if !object.meta.annotations.is_empty() && self.include == Include::None => {
                let shaper = Shaper { include: Include::Metadata, shape: Shape::Table(version), ..*self };
                shaper.event(object, headers)
            }
            Shape::Table(_) => self.event(object, headers),
            Shape::Whole | Shape::MetadataList(_) => {
                let whole = self.whole(object);
                let schema = &self.api.schema;
                let ty = schema.definition(self.served.definition());
                ty.and_then(|ty| schema.decode(ty, &whole).ok()).map_or(whole, |it| it.value)
            }
        }
    }

    /// One object of a watch, where a form that does not fit is passed over.
    pub fn event(&self, object: &Object, headers: bool) -> Value {
        self.object(object, headers).unwrap_or_else(|_| self.whole(object))
    }

    /// A list.
    ///
    /// # Errors
    /// 406 for the form of one object.
    pub fn list(&self, page: &Page) -> Result<Value, Status> {
        let mut objects = page.objects.iter().map(|it| &**it);
        let kind = self.served.kind;
        Ok(match self.shape {
            Shape::Whole => {
                // Items of built-in lists do not name their kind again.
                let bare = !kind.definition.is_empty();
                let item = |it: &Object| match self.whole(it) {
                    Value::Map(map) if bare => map.filtered(|key, _| !matches!(key, "apiVersion" | "kind")).into(),
                    it => it,
                };
                value!({
                    "kind": format!("{}List", kind.kind), "apiVersion": self.served.api_version(),
                    "metadata": &page.metadata, "items": objects.map(item).collect::<Vec<_>>(),
                })
            }
            Shape::Metadata(_) => {
                let why = "you requested PartialObjectMetadata, but the requested object is a list";
                return Err(not_acceptable(why, &self.go_type("List")));
            }
            Shape::MetadataList(version) => {
                let items: Vec<Value> = objects.map(|it| partial(it, version)).collect();
                value!({
                    "kind": "PartialObjectMetadataList", "apiVersion": format!("meta.k8s.io/{version}"),
                    "metadata": &page.metadata, "items": if items.is_empty() { Value::Null } else { items.into() },
                })
            }
            Shape::Table(version) => self.table(version, &mut objects, page.metadata.clone(), true),
        })
    }

    fn table(
        &self,
        version: &'static str,
        objects: &mut dyn Iterator<Item = &Object>,
        metadata: Map,
        headers: bool,
    ) -> Value {
        let whole = |it: &Object| self.whole(it);
        let rows = Rows { kind: self.served.kind, version, include: self.include, now: self.now, whole: &whole };
        if !self.api.overlays.contains_key(&self.served.kind.id) {
            return rows.table(objects, metadata, headers);
        }
        let seen: Vec<_> = objects.map(|it| self.api.seen(it)).collect();
        rows.table(&mut seen.iter().map(|it| &**it), metadata, headers)
    }

    /// The Go type that upstream's messages name, such as `*core.PodList`.
    fn go_type(&self, suffix: &str) -> String {
        let kind = self.served.kind;
        let package = match kind.group.split('.').next() {
            _ if kind.definition.is_empty() || kind.group.ends_with(".dev") => {
                return format!("*unstructured.Unstructured{suffix}");
            }
            Some("" | "events") | None => "core",
            Some(it) => it,
        };
        format!("*{package}.{}{suffix}", kind.kind)
    }
}

fn not_acceptable(why: &str, go_type: &str) -> Status {
    Status::new(406, "NotAcceptable", format!("{why} ({go_type})"))
}
