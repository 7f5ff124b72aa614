//! update and patch, of objects, their parts and their scale.

use std::sync::Arc;

use meta::{Object, Status};
use value::Value;

use super::create::{in_namespace, live};
use super::{Answer, check_size, format, media};
use crate::codec::{self, Expected};
use crate::options::{OptionsOf, WriteOptions};
use crate::scope::Call;
use crate::server::ApiServer;
use crate::subresources::scale;
use crate::{patch, response, write};

impl ApiServer {
    pub(super) fn update(&mut self, call: &mut Call) -> Answer {
        let media = media(call)?;
        check_size(call)?;
        let options = WriteOptions::read(&call.query, OptionsOf::Update)?;
        let whole = self.body_object(call, &options)?;
        let mut object = codec::object_of(&call.served_kind(), &whole);
        in_namespace(call, &mut object)?;
        check_name(call, object.name())?;
        if call.kind.strategy.create_on_update || self.store.get(call.kind.id, &call.key()).is_some() {
            codec::check_revision(&whole)?;
        }
        let mut write = call.write(&options.manager, options.dry_run);
        let res = write::replace(self, &mut write, &call.key(), object);
        call.warnings.append(&mut write.warnings);
        let (object, created) = res?;
        self.shown_object(call, if created { 201 } else { 200 }, &object, media)
    }

    pub(super) fn patch(&mut self, call: &mut Call) -> Answer {
        let media = media(call)?;
        let how = patch::Kind::of(&call.client.content_type, call.kind)?;
        check_size(call)?;
        let of = if how == patch::Kind::Apply { OptionsOf::Apply } else { OptionsOf::Patch };
        let options = WriteOptions::read(&call.query, of)?;
        let mut write = call.write(&options.manager, options.dry_run);
        let res = patch::body(self, &mut write, &call.key(), how, &call.body, &options);
        call.warnings.append(&mut write.warnings);
        let (object, created) = res?;
        self.shown_object(call, if created { 201 } else { 200 }, &object, media)
    }

    pub(super) fn get_scale(&mut self, call: &mut Call) -> Answer {
        let object = live(self, call, &call.key())?;
        Ok(response::value(200, format(call), &kinds::scale::of(&object)))
    }

    pub(super) fn update_scale(&mut self, call: &mut Call) -> Answer {
        let options = WriteOptions::read(&call.query, OptionsOf::Update)?;
        let expected =
            Expected { group: "autoscaling", version: "v1", kind: "Scale", definition: kinds::scale::DEFINITION };
        let body =
            self.decode_body(&call.body, &call.client.content_type, &expected, options.validation, &mut call.warnings)?;
        check_name(call, body.str_at("metadata.name").unwrap_or(""))?;
        let object = live(self, call, &call.key())?;
        self.store_scale(call, &options, &object, &body)
    }

    pub(super) fn patch_scale(&mut self, call: &mut Call) -> Answer {
        let how = patch::Kind::of(&call.client.content_type, call.kind)?;
        check_size(call)?;
        let of = if how == patch::Kind::Apply { OptionsOf::Apply } else { OptionsOf::Patch };
        let options = WriteOptions::read(&call.query, of)?;
        let object = live(self, call, &call.key())?;
        let before = kinds::scale::of(&object);
        if how == patch::Kind::Apply {
            let mut write = call.write(&options.manager, options.dry_run);
            let object = patch::apply_scale(self, &mut write, &object, &call.body, &options)?;
            return Ok(response::value(200, format(call), &kinds::scale::of(&object)));
        }
        let body =
            patch::patched(self, how, kinds::scale::DEFINITION, &before, &call.body, &options, &mut call.warnings)?;
        self.store_scale(call, &options, &object, &body)
    }

    fn store_scale(&mut self, call: &mut Call, options: &WriteOptions, live: &Arc<Object>, body: &Value) -> Answer {
        let mut write = call.write(&options.manager, options.dry_run);
        let object = scale::change(self, &mut write, live, body)?;
        Ok(response::value(200, format(call), &kinds::scale::of(&object)))
    }
}

/// The name in the body must be the path's.
pub(crate) fn check_name(call: &Call, have: &str) -> Result<(), Status> {
    same_name(have, call.name.as_deref().unwrap_or(""))
}

/// `checkName`
pub(crate) fn same_name(have: &str, wanted: &str) -> Result<(), Status> {
    if have.is_empty() {
        return Err(Status::bad_request(format!(
            "the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
        )));
    }
    if have != wanted {
        return Err(Status::bad_request(format!(
            "the name of the object ({have}) does not match the name on the URL ({wanted})"
        )));
    }
    Ok(())
}
