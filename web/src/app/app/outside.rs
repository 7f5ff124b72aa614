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

impl App {
    pub(super) fn remote(
        &mut self,
        ctx: &Context<Self>,
        method: &str,
        params: &str,
        reply: Function,
        refuse: Function,
    ) {
        let params = js_sys::JSON::parse(params).unwrap_or(JsValue::NULL);
        let param = |name: &str| Reflect::get(&params, &name.into()).ok().and_then(|it| it.as_string());
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
