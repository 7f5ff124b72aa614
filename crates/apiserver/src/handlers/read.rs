//! get, list and watch.

use http::Response;
use kinds::Verbs;
use meta::Status;

use super::{Answer, media};
use crate::http_types::Body;
use crate::reads::{self, Read};
use crate::scope::Call;
use crate::server::ApiServer;
use crate::{components, list, response};

impl ApiServer {
    pub(super) fn get(&mut self, call: &mut Call) -> Answer {
        let media = media(call)?;
        if call.query.flag("export") == Some(true) {
            let why = "the export parameter, deprecated since v1.14, is no longer supported";
            return Err(Status::bad_request(why));
        }
        if call.kind.verbs == Verbs::Look {
            let found = components::statuses().into_iter().find(|it| Some(it.name()) == call.name.as_deref());
            return self.shown_object(call, 200, &*found.ok_or_else(|| call.not_found())?, media);
        }
        // Any revision that a client asks for is old enough to be had, or still to come.
        list::check_not_older(call.query.get("resourceVersion").unwrap_or_default(), self.store_of(call.kind))?;
        let live = self.store_of(call.kind).get(call.kind.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
        self.shown_object(call, 200, &live, media)
    }

    pub(super) fn list_or_watch(&mut self, call: &mut Call) -> Answer {
        if call.kind.verbs == Verbs::Look && (call.is_watch || call.query.flag("watch") == Some(true)) {
            return Err(Status::method_not_supported(call.kind.group, call.kind.plural, "watch"));
        }
        let read = Read {
            kind: call.kind,
            served: call.served.as_ref(),
            namespace: call.namespace.as_deref(),
            name: call.name.as_deref(),
            watch: call.is_watch,
            query: &call.query,
            accept: &call.client.accept,
            pretty: call.pretty(),
        };
        match reads::answer(self, call.now, &read)? {
            reads::Answer::List(value, format) => Ok(response::value(200, format, &value)),
            reads::Answer::Watch(id, content_type) => {
                let mut response = Response::new(Body::Watch(id));
                response::set(&mut response, "content-type", content_type);
                response::set(&mut response, "cache-control", "no-cache, private");
                Ok(response)
            }
        }
    }
}
