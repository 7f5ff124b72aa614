//! delete, of one object and of many.

use kinds::JOB;
use meta::Status;
use value::Value;

use super::{Answer, check_size, format, media};
use crate::delete::{self, DeleteOptions};
use crate::list;
use crate::negotiate;
use crate::options::{ListOptions, delete_options};
use crate::response;
use crate::scope::Call;
use crate::server::ApiServer;
use crate::shapes::Shaper;

/// Whoever deletes jobs and does not say what is to become of their pods leaves them behind.
fn warn_of_orphans(call: &mut Call, options: &DeleteOptions) {
    if call.kind.id == JOB && options.propagation.is_none() && options.orphan_dependents.is_none() {
        call.warnings.push(
            "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"
                .to_owned(),
        );
    }
}

impl ApiServer {
    pub(super) fn delete(&mut self, call: &mut Call) -> Answer {
        let media = media(call)?;
        check_size(call)?;
        let options = self.delete_options(call)?;
        warn_of_orphans(call, &options);
        let write = call.write(&Default::default(), options.dry_run);
        let deleted = delete::delete(self, &write, &call.key(), &options)?;
        // Clients of old expect 200 of everything else that has not gone yet.
        let code = if !deleted.gone && options.orphan_dependents == Some(false) { 202 } else { 200 };
        if deleted.shows_object {
            return self.shown_object(call, code, &deleted.object, media);
        }
        Ok(response::value(code, format(call), &delete::status_of(&write, &deleted.object)))
    }

    /// Of the body or else of the query.
    fn delete_options(&self, call: &Call) -> Result<DeleteOptions, Status> {
        let value: Value = match self.decode_options(&call.body, &call.client.content_type)? {
            Some(it) => it,
            None => delete_options(&call.query)?,
        };
        DeleteOptions::from_value(&value)
    }

    pub(super) fn delete_collection(&mut self, call: &mut Call) -> Answer {
        let media = negotiate::resource(&call.client.accept, true, call.pretty())?;
        let list_options = ListOptions::read(&call.query, false)?;
        let options = self.delete_options(call)?;
        warn_of_orphans(call, &options);
        let page = list::list(self, &call.served_kind(), call.namespace.as_deref(), &list_options)?;
        let write = call.write(&Default::default(), options.dry_run);
        for object in &page.objects {
            match delete::delete(self, &write, &object.key(), &options) {
                Err(status) if !status.is_not_found() => return Err(status),
                _ => (),
            }
        }
        let shaper = Shaper::read(self, call.served_kind(), media.shape, &call.query, call.now.secs())?;
        Ok(response::value(200, media.format, &shaper.list(&page)?))
    }
}
