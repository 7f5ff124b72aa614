//! Who a request is from: everybody is an administrator, unless headers say otherwise (`filters.WithImpersonation`).

use http::HeaderMap;
use value::{Map, Str, Value, value};

const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";
const EXTRA: &str = "impersonate-extra-";

/// `user.Info`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct User {
    pub name: Str,
    uid: Str,
    groups: Vec<Str>,
    /// Lists of texts by key.
    extra: Map,
}

impl User {
    /// As headers have it: `X-Remote-User` and `X-Remote-Group` from a proxy before us, `Impersonate-…` from kubectl's `--as`.
    pub fn of(headers: &HeaderMap) -> User {
        let all = |name: &str| -> Vec<Str> {
            headers.get_all(name).iter().filter_map(|it| it.to_str().ok()).map(Str::from).collect()
        };
        let first = |name: &str| all(name).into_iter().next().filter(|it| !it.is_empty());
        if let Some(name) = first("impersonate-user") {
            return User::impersonated(headers, name, first("impersonate-uid"), all("impersonate-group"));
        }
        let Some(name) = first("x-remote-user") else {
            return User {
                name: "kubernetes-admin".into(),
                uid: "admin-uid".into(),
                groups: vec!["system:masters".into(), AUTHENTICATED.into()],
                extra: Map::new(),
            };
        };
        let mut groups = all("x-remote-group");
        groups.push(AUTHENTICATED.into());
        User { name, groups, ..User::default() }
    }

    fn impersonated(headers: &HeaderMap, name: Str, uid: Option<Str>, mut groups: Vec<Str>) -> User {
        let account = name.strip_prefix("system:serviceaccount:").and_then(|it| it.split_once(':'));
        if let Some((namespace, _)) = account.filter(|_| groups.is_empty()) {
            groups = vec!["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}").into()];
        }
        let has = |groups: &[Str], name: &str| groups.iter().any(|it| *it == name);
        if name == "system:anonymous" {
            if !has(&groups, UNAUTHENTICATED) {
                groups.push(UNAUTHENTICATED.into());
            }
        } else if !has(&groups, AUTHENTICATED) && !has(&groups, UNAUTHENTICATED) {
            groups.push(AUTHENTICATED.into());
        }
        let mut extra = Map::new();
        for (key, value) in headers {
            if let (Some(key), Ok(value)) = (key.as_str().strip_prefix(EXTRA), value.to_str()) {
                let list = extra.get(key).and_then(Value::as_list).cloned().unwrap_or_default();
                extra.insert(key, list.pushed(value.into()));
            }
        }
        User { name, uid: uid.unwrap_or_default(), groups, extra }
    }

    /// `authentication.k8s.io` `UserInfo`
    pub fn to_value(&self) -> Value {
        let mut info = value!({ "username": &self.name });
        if !self.uid.is_empty() {
            info.set("uid", &self.uid);
        }
        if !self.groups.is_empty() {
            info.set("groups", self.groups.iter().map(Value::from).collect::<Vec<_>>());
        }
        if !self.extra.is_empty() {
            info.set("extra", &self.extra);
        }
        info
    }
}
