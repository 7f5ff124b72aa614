//! `cargo xtask serve`: builds the page and serves it on the loopback interface.

use crate::{page, process::Res, setup};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    time::Duration,
};

const PORT: u16 = 8080;
/// A request line and headers longer than this are not for this server.
const REQUEST_BYTES_MAX: u64 = 16 * 1024;
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Sorted by extension.
const TYPES: &[(&str, &str)] = &[
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("wasm", "application/wasm"),
    ("webmanifest", "application/manifest+json"),
    ("yaml", "text/yaml; charset=utf-8"),
];

pub fn run(args: &[String]) -> Res<()> {
    let port = port(args)?;
    // Taken first: who waits for a build should not learn afterwards that the port is in use.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("port {port} of 127.0.0.1: {error}; choose another with --port"))?;
    setup::for_build()?;
    page::build()?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("\nDrydock is at http://{address}/ (Ctrl+C ends it)");
    for stream in listener.incoming().flatten() {
        std::thread::spawn(|| answer(stream));
    }
    Ok(())
}

fn port(args: &[String]) -> Res<u16> {
    match args {
        [] => Ok(PORT),
        [flag, port] if flag == "--port" => port.parse().map_err(|_| format!("--port {port} is not a port")),
        _ => Err("usage: cargo xtask serve [--port 8080]".into()),
    }
}

/// A client that goes away in the middle concerns nobody else.
fn answer(mut stream: TcpStream) {
    let _gone = stream.set_read_timeout(Some(READ_TIMEOUT)).and_then(|()| {
        let target = request_target(&stream)?;
        let (status, kind, body) = match target.as_deref().map(|it| file_for(&page::dist(), it)) {
            Some(Some(path)) => match std::fs::read(&path) {
                Ok(body) => ("200 OK", content_type(&path), body),
                Err(_) => ("404 Not Found", "text/plain", b"not found\n".to_vec()),
            },
            Some(None) => ("404 Not Found", "text/plain", b"not found\n".to_vec()),
            None => ("405 Method Not Allowed", "text/plain", b"only GET\n".to_vec()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)
    });
}

/// The target of a GET; the headers are read and dropped.
fn request_target(stream: &TcpStream) -> std::io::Result<Option<String>> {
    let mut lines = BufReader::new(stream.take(REQUEST_BYTES_MAX)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = first.split(' ');
    Ok(if words.next() == Some("GET") { words.next().map(str::to_owned) } else { None })
}

/// The file for a request's target; none if that leads out of the site.
fn file_for(site: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let inside = Path::new(path).components().all(|it| matches!(it, Component::Normal(_)));
    let file = if path.is_empty() || path.ends_with('/') { "index.html" } else { "" };
    inside.then(|| site.join(format!("{path}{file}")))
}

fn content_type(path: &Path) -> &'static str {
    let ext = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
    match TYPES.binary_search_by_key(&ext, |(ext, _)| ext) {
        Ok(idx) => TYPES[idx].1,
        Err(_) => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::{content_type, file_for};
    use std::path::Path;

    #[track_caller]
    fn check(target: &str, file: Option<&str>) {
        assert_eq!(file_for(Path::new("site"), target).as_deref(), file.map(Path::new));
    }

    #[test]
    fn targets_become_files() {
        check("/", Some("site/index.html"));
        check("/?embed=1", Some("site/index.html"));
        check("/app.js", Some("site/app.js"));
        check("/a/b.css?v=1", Some("site/a/b.css"));
    }

    #[test]
    fn nothing_outside_is_served() {
        check("/../Cargo.toml", None);
        check("//etc/passwd", None);
        check("/a/../../b", None);
        check("app.js", None);
    }

    #[test]
    fn types_are_found() {
        assert_eq!(content_type(Path::new("a.wasm")), "application/wasm");
        assert_eq!(content_type(Path::new("a.b")), "application/octet-stream");
    }
}
