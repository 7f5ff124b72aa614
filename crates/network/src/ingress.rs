//! Ingress: a simulated controller at the address that Ingresses report, which chooses by host and path.

use std::net::IpAddr;
use std::sync::Arc;

use kinds::{INGRESS, SECRET, SERVICE};
use meta::{Key, Object};
use value::Value;

use crate::dns::{is_host, load_balancer_ips};
use crate::endpoints::{self, Choice};
use crate::policy::Party;
use crate::walk::{Reply, Res, Walk};

/// A rule that fits a request.
struct Match<'a> {
    ingress: &'a Arc<Object>,
    backend: &'a Value,
    /// `web.example.com/api`, or what else says that it fits.
    what: String,
    /// The better the larger: exact hosts before wildcards before none, exact paths before prefixes, longer ones first.
    rank: (u8, u8, usize),
}

impl<'a> Walk<'a> {
    /// A request to a controller's address; `None` if no Ingress reports it.
    pub fn ingress_at(&mut self, from: &Party<'a>, ip: IpAddr, port: u16) -> Option<Res<Reply>> {
        let served: Vec<&'a Arc<Object>> =
            self.view.list(INGRESS, None).filter(|it| load_balancer_ips(it).contains(&ip)).collect();
        if served.is_empty() {
            return None;
        }
        Some(self.through_controller(from, &served, ip, port))
    }

    fn through_controller(
        &mut self,
        from: &Party<'a>,
        served: &[&'a Arc<Object>],
        ip: IpAddr,
        port: u16,
    ) -> Res<Reply> {
        let all = if served.len() == 1 { "one Ingress".to_owned() } else { format!("{} Ingresses", served.len()) };
        self.say("Ingress", None, format!("{ip} is the Ingress controller, which serves {all}"));
        let to = controller(Some(ip));
        self.egress(from, &to, port)?;
        if !matches!(port, 80 | 443) {
            let message = format!("the Ingress controller listens on the ports 80 and 443, not on {port}");
            return Err(self.fail("Ingress", None, message, crate::Outcome::TimedOut));
        }
        let (host, path) = (self.host.clone(), self.url.plain_path().to_owned());
        let host = host.split(':').next().unwrap_or("").to_ascii_lowercase();
        if let Some(reply) = self.tls(served, &host) {
            return Ok(reply);
        }
        // The most special host alone counts, whether it has a path that fits or not.
        let hosts = served.iter().flat_map(|it| it.list_at("spec.rules")).filter_map(|it| host_rank(it, &host)).max();
        let fitting = served.iter().flat_map(|it| matches(it, &host, &path)).filter(|it| Some(it.rank.0) == hosts);
        let found = fitting.fold(None, better);
        let found = found.or_else(|| served.iter().find_map(default_backend));
        let Some(found) = found else {
            self.say("Answer", None, format!("no rule takes {host}{path}: HTTP 404"));
            return Ok(Reply::new(404, "default backend - 404"));
        };
        let key = found.ingress.key();
        self.say(
            "Ingress",
            Some(("Ingress", key.clone())),
            format!("{} of Ingress {key} takes {host}{path}", found.what),
        );
        Ok(self.backend(&found))
    }

    /// What becomes of TLS: a redirection for plain requests to hosts that have it.
    fn tls(&mut self, served: &[&'a Arc<Object>], host: &str) -> Option<Reply> {
        let has_host =
            |it: &&Value| it.list_at("hosts").iter().any(|it| it.as_str().is_some_and(|it| is_host(it, host)));
        let found = served.iter().find_map(|it| Some((*it, it.list_at("spec.tls").iter().find(has_host)?)));
        match (found, self.url.is_tls) {
            (Some((ingress, _)), false) => {
                let key = ingress.key();
                let message = format!("Ingress {key} has TLS for {host}, so plain requests are redirected: HTTP 308");
                self.say("Ingress", Some(("Ingress", key)), message);
                let location = format!("https://{host}{}", self.url.path);
                Some(Reply { location, ..Reply::new(308, "308 Permanent Redirect\n") })
            }
            (Some((ingress, tls)), true) => {
                let secret = Key::new(ingress.namespace(), tls.str_at("secretName").unwrap_or(""));
                let message = match self.view.get(SECRET, &secret) {
                    Some(_) => format!("TLS ends at the controller, with the certificate of Secret {secret}"),
                    None => format!("there is no Secret {secret}, so the controller shows a certificate of its own"),
                };
                self.say("Ingress", Some(("Secret", secret)), message);
                None
            }
            (None, true) => {
                let message =
                    format!("no Ingress has TLS for {host}, so the controller shows a certificate of its own");
                self.say("Ingress", None, message);
                None
            }
            (None, false) => None,
        }
    }

    /// From the controller straight to an endpoint of the Service.
    fn backend(&mut self, found: &Match<'a>) -> Reply {
        let namespace = found.ingress.namespace();
        let Some(wanted) = found.backend.get("service") else {
            self.say("Answer", None, "the backend is no Service, which the controller does not know: HTTP 503");
            return unavailable();
        };
        let key = Key::new(namespace, wanted.str_at("name").unwrap_or(""));
        let Some(service) = self.view.get(SERVICE, &key) else {
            self.say("Answer", Some(("Service", key.clone())), format!("there is no Service {key}: HTTP 503"));
            return unavailable();
        };
        let (name, number) = (
            wanted.get("port").and_then(|it| it.str_at("name")),
            wanted.get("port").and_then(|it| it.i64_at("number")),
        );
        let is_it = |it: &&Value| match name {
            Some(name) => it.str_at("name") == Some(name),
            None => it.i64_at("port") == number,
        };
        let Some(port) = service.list_at("spec.ports").iter().find(is_it) else {
            let wanted = name.map_or_else(|| number.unwrap_or(0).to_string(), str::to_owned);
            self.say("Answer", Some(("Service", key.clone())), format!("Service {key} has no port {wanted}: HTTP 503"));
            return unavailable();
        };
        self.say(
            "Service",
            Some(("Service", key.clone())),
            format!("the backend is Service {key}; the controller goes straight to its endpoints"),
        );
        let all = endpoints::of(&self.view, service, false, Some(port.str_at("name").unwrap_or("")));
        let choice = Choice { node: "", zone: "", local: None, client: None, turn: self.turn };
        let Ok(chosen) = self.chosen(service, &all, &choice) else {
            self.say("Answer", None, "the controller has nowhere to send it: HTTP 503");
            return unavailable();
        };
        match self.arrive(&controller(None), chosen.ip, chosen.port) {
            Ok(reply) => reply,
            Err(crate::Outcome::Refused) => {
                self.say("Answer", None, "the controller gets no connection: HTTP 502");
                Reply::new(502, "502 Bad Gateway\n")
            }
            Err(_) => {
                self.say("Answer", None, "the controller waits in vain: HTTP 504");
                Reply::new(504, "504 Gateway Time-out\n")
            }
        }
    }
}

fn unavailable() -> Reply {
    Reply::new(503, "503 Service Temporarily Unavailable\n")
}

/// The controller as selectors of policies see it.
fn controller(ip: Option<IpAddr>) -> Party<'static> {
    let labels =
        value::map!({ "app.kubernetes.io/component": "controller", "app.kubernetes.io/name": "ingress-nginx" });
    Party {
        what: "the Ingress controller".to_owned(),
        ip,
        node: "",
        pod: None,
        labels: Some(("ingress-nginx".into(), labels)),
        is_host: false,
        is_outside: false,
    }
}

fn better<'a>(best: Option<Match<'a>>, other: Match<'a>) -> Option<Match<'a>> {
    match best {
        Some(best) if best.rank >= other.rank => Some(best),
        _ => Some(other),
    }
}

/// The paths of an Ingress that fit.
fn matches<'a>(ingress: &'a Arc<Object>, host: &str, path: &str) -> Vec<Match<'a>> {
    let mut res = Vec::new();
    for rule in ingress.list_at("spec.rules") {
        let pattern = rule.str_at("host").unwrap_or("");
        let Some(host_rank) = host_rank(rule, host) else { continue };
        for entry in rule.list_at("http.paths") {
            let wanted = entry.str_at("path").unwrap_or("/");
            let kind = entry.str_at("pathType").unwrap_or("ImplementationSpecific");
            let fits = match kind {
                "Exact" => path == wanted,
                _ => is_prefix(wanted, path),
            };
            let Some(backend) = entry.get("backend").filter(|_| fits) else { continue };
            let rank = (host_rank, u8::from(kind == "Exact"), wanted.len());
            res.push(Match { ingress, backend, what: format!("the rule {pattern}{wanted} ({kind})"), rank });
        }
    }
    res
}

/// How special a rule's host is, if it is this one.
fn host_rank(rule: &Value, host: &str) -> Option<u8> {
    match rule.str_at("host").unwrap_or("") {
        "" => Some(0),
        it if !is_host(it, host) => None,
        it if it.starts_with("*.") => Some(1),
        _ => Some(2),
    }
}

/// Whether a path begins with another, element by element.
fn is_prefix(prefix: &str, path: &str) -> bool {
    let parts = |it: &str| it.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    parts(path).starts_with(&parts(prefix))
}

fn default_backend<'a>(ingress: &&'a Arc<Object>) -> Option<Match<'a>> {
    let backend = ingress.at("spec.defaultBackend")?;
    Some(Match { ingress, backend, what: "the default backend".to_owned(), rank: (0, 0, 0) })
}
