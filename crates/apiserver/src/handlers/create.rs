//! create: objects, and the creations that are really something else (bindings, evictions, tokens).

use std::sync::Arc;

use http::Response;
use meta::{Errors, Key, Object, Status};
use value::{Str, Value};

use super::{Answer, check_size, format, media};
use crate::codec::{self, Expected};
use crate::delete::DeleteOptions;
use crate::http_types::{Body, Tunnel};
use crate::options::{OptionsOf, WriteOptions};
use crate::scope::Call;
use crate::server::ApiServer;
use crate::shapes::Shaper;
use crate::{negotiate, response, reviews, subresources, write};

impl ApiServer {
    pub(super) fn create(&mut self, call: &mut Call) -> Answer {
        let media = media(call)?;
        negotiate::input(&call.client.content_type)?;
        check_size(call)?;
        let options = WriteOptions::read(&call.query, OptionsOf::Create)?;
        let whole = self.body_object(call, &options)?;
        if call.kind.id == kinds::BINDING {
            call.name = whole.at("metadata.name").and_then(Value::as_shared_str).cloned();
            return self.store_binding(call, &options, &whole);
        }
        if call.kind.verbs == kinds::Verbs::Create {
            check_namespace(call, whole.str_at("metadata.namespace").unwrap_or(""))?;
            if call.kind.id == kinds::NETWORK_REQUEST {
                let review = reviews::network_request(self, call, &whole, &options.manager)?;
                return Ok(Response::new(Body::Tunnel(Tunnel::Request { review })));
            }
            let answer = reviews::answer(self, call, &whole, &options.manager)?;
            return Ok(response::value(201, media.format, &answer));
        }
        let mut object = codec::object_of(&call.served_kind(), &whole);
        in_namespace(call, &mut object)?;
        let mut write = call.write(&options.manager, options.dry_run);
        let res = write::create(self, &mut write, object);
        call.warnings.append(&mut write.warnings);
        let object = res?;
        self.shown_object(call, 201, &object, media)
    }

    /// The body as an object of the call's kind.
    pub(super) fn body_object(&self, call: &mut Call, options: &WriteOptions) -> Result<Value, Status> {
        let served = call.served;
        let kind = call.kind;
        let served = kinds::ServedKind { kind, served: served.as_ref() };
        let expected = Expected::of(&served);
        self.decode_body(&call.body, &call.client.content_type, &expected, options.validation, &mut call.warnings)
    }

    /// The answer with one object.
    pub(super) fn shown_object(&self, call: &Call, code: u16, object: &Object, media: negotiate::Media) -> Answer {
        let shaper = Shaper::read(self, call.served_kind(), media.shape, &call.query, call.now.secs())?;
        Ok(response::value(code, media.format, &shaper.object(object, true)?))
    }

    pub(super) fn create_binding(&mut self, call: &mut Call) -> Answer {
        let options = WriteOptions::read(&call.query, OptionsOf::Create)?;
        let expected = Expected { group: "", version: "v1", kind: "Binding", definition: "io.k8s.api.core.v1.Binding" };
        let body = self.decode_part(call, &expected, &options)?;
        let name = body.str_at("metadata.name").unwrap_or("");
        if Some(name) != call.name.as_deref() {
            return Err(Status::bad_request("name in URL does not match name in Binding object"));
        }
        self.store_binding(call, &options, &body)
    }

    /// Binds the pod that the call names.
    fn store_binding(&mut self, call: &mut Call, options: &WriteOptions, body: &Value) -> Answer {
        check_namespace(call, body.str_at("metadata.namespace").unwrap_or(""))?;
        let mut errors = meta::Errors::new();
        kinds::pod::validate_binding(body.as_map().unwrap_or(&value::Map::new()), &mut errors);
        if !errors.is_empty() {
            return Err(Status::invalid("", "Binding", body.str_at("metadata.name").unwrap_or(""), &errors));
        }
        let text = |path: &'static str| body.at(path).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let mut write = call.write(&options.manager, options.dry_run);
        write.kind = self.registry.get(kinds::POD).ok_or_else(crate::route::unknown)?;
        write.sub = "binding";
        let binding = subresources::binding::Binding {
            // The older way forgets it.
            uid: if call.sub.is_empty() { Str::default() } else { text("metadata.uid") },
            node: text("target.name"),
            annotations: body.map_at("metadata.annotations").cloned().unwrap_or_default(),
            labels: body.map_at("metadata.labels").cloned().unwrap_or_default(),
        };
        subresources::binding::bind(self, &mut write, &call.key(), &binding)?;
        Ok(response::value(201, format(call), &response::success(201)))
    }

    pub(super) fn create_eviction(&mut self, call: &mut Call) -> Answer {
        let options = WriteOptions::read(&call.query, OptionsOf::Create)?;
        let expected =
            Expected { group: "policy", version: "v1", kind: "Eviction", definition: "io.k8s.api.policy.v1.Eviction" };
        let body = self.decode_part(call, &expected, &options)?;
        if body.str_at("metadata.name") != call.name.as_deref() {
            return Err(Status::bad_request("name in URL does not match name in Eviction object"));
        }
        let unsafely = "deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential";
        if body.bool_at(unsafely) == Some(true) {
            let mut errors = Errors::new();
            errors.invalid(unsafely, true, "can not be set for pod eviction, try after removing the option");
            return Err(Status::invalid("policy", "Eviction", call.name.as_deref().unwrap_or(""), &errors));
        }
        let mut delete = match body.get("deleteOptions") {
            Some(options) => DeleteOptions::from_value(options)?,
            None => DeleteOptions::default(),
        };
        delete.dry_run |= options.dry_run;
        let write = call.write(&options.manager, delete.dry_run);
        subresources::eviction::evict(self, &write, &call.key(), &delete)?;
        Ok(response::value(201, format(call), &response::success(201)))
    }

    pub(super) fn create_token(&mut self, call: &mut Call) -> Answer {
        let options = WriteOptions::read(&call.query, OptionsOf::Create)?;
        let expected = Expected {
            group: "authentication.k8s.io",
            version: "v1",
            kind: "TokenRequest",
            definition: subresources::token::DEFINITION,
        };
        let body = self.decode_part(call, &expected, &options)?;
        let answer = subresources::token::issue(self, call, &body, &options.manager)?;
        Ok(response::value(201, format(call), &answer))
    }

    /// Reads the body of a part of an object; its namespace must be the path's.
    fn decode_part(&self, call: &mut Call, expected: &Expected<'_>, options: &WriteOptions) -> Result<Value, Status> {
        check_size(call)?;
        let body =
            self.decode_body(&call.body, &call.client.content_type, expected, options.validation, &mut call.warnings)?;
        check_namespace(call, body.str_at("metadata.namespace").unwrap_or(""))?;
        Ok(body)
    }
}

/// Puts the object into the namespace of the path (`EnsureObjectNamespaceMatchesRequestNamespace`).
pub(super) fn in_namespace(call: &Call, object: &mut Object) -> Result<(), Status> {
    let namespace: Str = call.namespace.clone().unwrap_or_default();
    if !namespace.is_empty() {
        check_namespace(call, &object.meta.namespace)?;
    }
    object.meta.namespace = namespace;
    Ok(())
}

fn check_namespace(call: &Call, have: &str) -> Result<(), Status> {
    if have.is_empty() || Some(have) == call.namespace.as_deref() {
        return Ok(());
    }
    Err(Status::bad_request("the namespace of the provided object does not match the namespace sent on the request"))
}

/// Somebody's view of a live object; for callers that only need to know that it is there.
pub(super) fn live(api: &ApiServer, call: &Call, key: &Key) -> Result<Arc<Object>, Status> {
    api.store.get(call.kind.id, key).cloned().ok_or_else(|| call.not_found())
}
