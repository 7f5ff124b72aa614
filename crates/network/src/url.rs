//! What clients make of the text that names a place: `web`, `web:8080/path`, `http://10.0.0.1`.

use std::net::IpAddr;

/// The parts of a URL over HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    pub is_tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
    /// Begins with `/`; with the query.
    pub path: String,
}

impl Url {
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn parse(text: &str) -> Result<Url, String> {
        let (is_tls, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some((scheme, _)) => return Err(format!("the scheme {scheme} is not simulated: only http and https are")),
            None => (false, text),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (place, path) = rest.split_at(end);
        let place = place.rsplit_once('@').map_or(place, |(_, it)| it);
        let (host, port) = host_and_port(place)?;
        let path = path.split('#').next().unwrap_or("");
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        if host.is_empty() {
            return Err(format!("{text:?} names no host"));
        }
        Ok(Url { is_tls, host: host.to_owned(), port: port.unwrap_or(if is_tls { 443 } else { 80 }), path })
    }

    /// The path without the query.
    pub fn plain_path(&self) -> &str {
        self.path.split('?').next().unwrap_or("/")
    }
}

fn host_and_port(place: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(|| format!("{place:?} lacks a closing bracket"))?;
            (host, rest.strip_prefix(':'))
        }
        None if place.parse::<IpAddr>().is_ok() => (place, None),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    match port {
        None | Some("") => Ok((host, None)),
        Some(port) => match port.parse() {
            Ok(it) if it > 0 => Ok((host, Some(it))),
            _ => Err(format!("{port:?} is no port")),
        },
    }
}
