//! The page around a frame.

use super::*;

/// In a frame, what the page around it asks for is heard.
pub(super) fn listen(ctx: &Context<App>) {
    if embed_view().is_none() {
        return;
    }
    let link = ctx.link().clone();
    let callback = wasm_bindgen::closure::Closure::<dyn Fn(String, String, Function, Function)>::new(
        move |method, params, reply, refuse| link.send_message(Msg::Remote { method, params, reply, refuse }),
    );
    js::on_request(&callback.into_js_value());
}

const CLOCK: &str = "/apis/sim.drydock.dev/v1alpha1/clocks/cluster";

/// A request of nothing yet.
fn from_script() -> web::Request {
    web::Request {
        content_type: "application/json".to_owned(),
        user_agent: "drydock.js".to_owned(),
        ..web::Request::default()
    }
}

fn text_at(object: &JsValue, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok().and_then(|it| it.as_string())
}

/// Tells the page around what the server answered.
pub(super) fn pass_on(code: u16, body: &str, is_whole: bool, reply: &Function, refuse: &Function) {
    let content = js_sys::JSON::parse(body).unwrap_or_else(|_| JsValue::from(body));
    let (tell, what) = match code {
        _ if is_whole => {
            let answer = Object::new();
            Reflect::set(&answer, &"status".into(), &code.into()).ok();
            Reflect::set(&answer, &"body".into(), &body.into()).ok();
            (reply, JsValue::from(answer))
        }
        0..400 => (reply, content),
        _ => (refuse, JsValue::from(text_at(&content, "message").unwrap_or_else(|| body.to_owned()))),
    };
    tell.call1(&JsValue::NULL, &what).ok();
}

impl App {
    pub(super) fn remote(
        &mut self,
        ctx: &Context<Self>,
        method: &str,
        params_text: &str,
        reply: Function,
        refuse: Function,
    ) {
        let params = js_sys::JSON::parse(params_text).unwrap_or(JsValue::NULL);
        let param = |name: &str| text_at(&params, name);
        match method {
            "apply" => {
                if let Some(text) = param("text") {
                    self.set_text(&text);
                }
                let text = self.text.to_string();
                self.is_busy = true;
                self.ask_for(Pending::Remote(reply, refuse), |id| Ask::Apply { id, text });
            }
            "kubectl" => {
                let line = param("args").unwrap_or_default();
                self.ask_for(Pending::Remote(reply, refuse), |id| Ask::Kubectl { id, line });
            }
            "advance" => {
                let path = format!("{CLOCK}/advance");
                let request =
                    web::Request { method: "POST".to_owned(), path, body: params_text.to_owned(), ..from_script() };
                let pending = Pending::Request { is_whole: false, reply, refuse };
                self.ask_for(pending, |id| Ask::Send { id, request });
            }
            "fetch" => {
                let headers = Reflect::get(&params, &"headers".into()).unwrap_or(JsValue::NULL);
                let request = web::Request {
                    method: param("method").unwrap_or_else(|| "GET".to_owned()),
                    path: param("path").unwrap_or_default(),
                    content_type: text_at(&headers, "content-type").unwrap_or_default(),
                    body: param("body").unwrap_or_default(),
                    ..from_script()
                };
                let pending = Pending::Request { is_whole: true, reply, refuse };
                self.ask_for(pending, |id| Ask::Send { id, request });
            }
            "snapshot" => {
                let promise = js::pack(&Uint8Array::from(self.kept().seal().as_slice()));
                spawn_local(async move {
                    match JsFuture::from(promise).await.ok().and_then(|it| it.as_string()) {
                        Some(packed) => reply.call1(&JsValue::NULL, &format!("{}{packed}", kept::LINK_PREFIX).into()),
                        None => refuse.call1(&JsValue::NULL, &"this browser cannot pack the state".into()),
                    }
                    .ok();
                });
            }
            "setText" => {
                self.set_text(&param("text").unwrap_or_default());
                reply.call1(&JsValue::NULL, &JsValue::TRUE).ok();
            }
            "text" => {
                reply.call1(&JsValue::NULL, &JsValue::from(self.text.as_str())).ok();
            }
            "pause" | "play" => {
                self.board.clock.is_paused = method == "pause";
                self.send_pace();
                reply.call1(&JsValue::NULL, &JsValue::TRUE).ok();
            }
            "theme" => {
                page::wear(&param("theme").unwrap_or_default());
                reply.call1(&JsValue::NULL, &JsValue::TRUE).ok();
            }
            "reset" => {
                self.reset(ctx);
                reply.call1(&JsValue::NULL, &JsValue::TRUE).ok();
            }
            _ => {
                refuse.call1(&JsValue::NULL, &JsValue::from(format!("there is no method {method}"))).ok();
            }
        }
    }
}
