//! `kubectl exec` and `attach` over a WebSocket (`v5.channel.k8s.io`): each message begins with the byte of its channel.

mod terminal;

use futures_util::{SinkExt, StreamExt};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use self::terminal::Terminal;

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
/// Says that a channel has ended; its number follows.
const CLOSE: u8 = 255;
/// Later ones first. The fifth can say that the input has ended.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
/// What a command is given to read at most.
const INPUT_MAX: usize = 1024 * 1024;

pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// How a command is run: the request without its connection, with what the command reads.
pub(crate) type Ask = Box<dyn Fn(http::Request<Vec<u8>>) -> Reply + Send + Sync>;
pub(crate) type Reply = std::pin::Pin<Box<dyn Future<Output = http::Response<Vec<u8>>> + Send>>;

/// A request for a connection to a container.
pub(crate) struct Wanted {
    uri: http::Uri,
    headers: HeaderMap,
    protocol: &'static str,
    key: String,
    has_stdin: bool,
    is_terminal: bool,
}

/// Whether the request wants a connection; `None` for every other one.
pub(crate) fn wanted(request: &Request<Incoming>) -> Option<Wanted> {
    let header = |name| request.headers().get(name).and_then(|it: &HeaderValue| it.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    let is_ours = path.ends_with("/exec") || path.ends_with("/attach");
    if !header(UPGRADE).eq_ignore_ascii_case("websocket") || !is_ours {
        return None;
    }
    let offered: Vec<&str> = header(SEC_WEBSOCKET_PROTOCOL).split(',').map(str::trim).collect();
    let protocol = PROTOCOLS.into_iter().find(|it| offered.contains(it))?;
    let query = request.uri().query().unwrap_or_default();
    let flag = |name: &str| {
        query.split('&').any(|it| it.split_once('=').is_some_and(|(k, v)| k == name && matches!(v, "true" | "1")))
    };
    let mut headers = request.headers().clone();
    for name in [CONNECTION, UPGRADE, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL] {
        headers.remove(name);
    }
    Some(Wanted {
        uri: request.uri().clone(),
        headers,
        protocol,
        key: header(SEC_WEBSOCKET_KEY).to_owned(),
        has_stdin: flag("stdin"),
        is_terminal: flag("tty"),
    })
}

impl Wanted {
    /// The request that runs the command with this input.
    pub fn request(&self, input: Vec<u8>) -> http::Request<Vec<u8>> {
        self.request_to(self.uri.clone(), input)
    }

    fn request_to(&self, uri: http::Uri, input: Vec<u8>) -> http::Request<Vec<u8>> {
        let mut request = http::Request::new(input);
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// The headers of the answer that changes protocols.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(self.protocol));
        if let Ok(accept) = derive_accept_key(self.key.as_bytes()).parse() {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        headers
    }

    /// The same request for a line of a shell.
    fn of_line(&self, line: &str) -> http::Request<Vec<u8>> {
        let kept = self.uri.query().unwrap_or_default().split('&').filter(|it| !it.starts_with("command="));
        let mut query: Vec<String> = kept.map(str::to_owned).collect();
        query.extend(["sh", "-c", line].map(|it| format!("command={}", escaped(it))));
        let path = self.uri.path().trim_end_matches("attach").trim_end_matches("exec");
        let uri = format!("{path}exec?{}", query.join("&")).parse().unwrap_or_else(|_| self.uri.clone());
        self.request_to(uri, Vec::new())
    }

    /// Whether the command is a shell without a script, or a shell is attached to.
    fn is_bare_shell(&self) -> bool {
        let query = self.uri.query().unwrap_or_default();
        let words: Vec<&str> = query.split('&').filter_map(|it| it.strip_prefix("command=")).collect();
        let name =
            |it: &str| it.replace("%2F", "/").replace("%2f", "/").rsplit('/').next().unwrap_or_default().to_owned();
        match words.as_slice() {
            [] => true,
            [shell] | [shell, "-i" | "-l"] => matches!(name(shell).as_str(), "sh" | "bash" | "ash" | "dash"),
            _ => false,
        }
    }
}

/// Talks over an upgraded connection. `first`: what the command said without any input.
pub(crate) async fn talk(wanted: Wanted, upgraded: Upgraded, first: Vec<u8>, ask: Ask) {
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    // Who breaks off wants no more of it, and is not there to be told anything.
    serve(&wanted, &mut socket, first, &ask).await;
    let normal = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
    socket.close(Some(normal)).await.ok();
}

async fn serve(wanted: &Wanted, socket: &mut Socket, first: Vec<u8>, ask: &Ask) -> Option<()> {
    // Tells the client that the connection stands.
    send(socket, STDOUT, &[]).await?;
    if wanted.has_stdin && wanted.is_terminal && wanted.is_bare_shell() {
        return Terminal::new(wanted, ask).run(socket).await;
    }
    let said = match wanted.has_stdin && !wanted.is_terminal {
        true => {
            let input = input(socket).await?;
            ask(wanted.request(input)).await.into_body()
        }
        false => first,
    };
    for (channel, bytes) in kubectl::channels(&said) {
        match wanted.is_terminal && channel != ERROR {
            // A terminal has one channel, and its lines begin at the left.
            true => send(socket, STDOUT, &with_returns(bytes)).await?,
            false => send(socket, channel, bytes).await?,
        }
    }
    Some(())
}

/// Everything that the client gives the command to read.
async fn input(socket: &mut Socket) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Binary(bytes) => match &*bytes {
                [STDIN, piece @ ..] if all.len() + piece.len() <= INPUT_MAX => all.extend(piece),
                [STDIN, ..] => break,
                [CLOSE, STDIN] => break,
                _ => {}
            },
            Message::Close(_) => return None,
            _ => {}
        }
    }
    Some(all)
}

async fn send(socket: &mut Socket, channel: u8, bytes: &[u8]) -> Option<()> {
    let message = [&[channel], bytes].concat();
    socket.send(Message::Binary(Bytes::from(message))).await.ok()
}

fn with_returns(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(bytes).replace('\n', "\r\n").into_bytes()
}

/// As part of a query.
fn escaped(text: &str) -> String {
    let one = |it: u8| match it {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(it).to_string(),
        it => format!("%{it:02X}"),
    };
    text.bytes().map(one).collect()
}
