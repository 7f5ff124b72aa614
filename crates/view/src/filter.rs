//! Which rows of a stream are shown.

use crate::model::{EventRow, Ref, RequestRow, WatchRow};

/// All that is given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Empty for every kind.
    pub kind: String,
    /// Words that kind, namespace, name or text must contain, without regard to case.
    pub words: String,
    /// The object itself and what belongs to it.
    pub only: Option<Ref>,
}

impl Filter {
    fn has_object(&self, object: &Ref, owner: &str) -> bool {
        let is_kind = self.kind.is_empty() || self.kind == object.kind;
        let is_only = self
            .only
            .as_ref()
            .is_none_or(|only| *object == *only || (only.name == owner && only.namespace == object.namespace));
        is_kind && is_only
    }

    fn has_words(&self, texts: &[&str]) -> bool {
        self.words.split_whitespace().all(|word| {
            let word = word.to_lowercase();
            texts.iter().any(|it| it.to_lowercase().contains(&word))
        })
    }

    pub fn shows_watch(&self, row: &WatchRow) -> bool {
        let Ref { kind, namespace, name } = &row.object;
        self.has_object(&row.object, &row.owner) && self.has_words(&[kind, namespace, name, &row.what])
    }

    pub fn shows_event(&self, row: &EventRow) -> bool {
        let Ref { kind, namespace, name } = &row.object;
        // A pod's name begins with that of its workload.
        let owner =
            self.only.as_ref().filter(|it| name.starts_with(&format!("{}-", it.name))).map_or("", |it| &it.name);
        self.has_object(&row.object, owner)
            && self.has_words(&[kind, namespace, name, &row.reason, &row.message, &row.source])
    }

    pub fn shows_request(&self, row: &RequestRow) -> bool {
        let is_only = self.only.as_ref().is_none_or(|it| row.path.contains(&format!("/{}", it.name)));
        is_only && self.has_words(&[&row.verb, &row.path, &row.component, &row.code.to_string()])
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use crate::model::{Ref, WatchRow};

    #[track_caller]
    fn check(filter: &Filter, expected: [bool; 2]) {
        let row = |kind: &str, name: &str, owner: &str| WatchRow {
            object: Ref::new(kind, "default", name),
            owner: owner.to_owned(),
            what: "status.phase Pending → Running".to_owned(),
            ..WatchRow::default()
        };
        let rows = [row("Pod", "web-1", "web"), row("DaemonSet", "log", "")];
        assert_eq!(rows.map(|it| filter.shows_watch(&it)), expected);
    }

    #[test]
    fn all_conditions_must_hold() {
        check(&Filter::default(), [true, true]);
        check(&Filter { kind: "Pod".to_owned(), ..Filter::default() }, [true, false]);
        check(&Filter { words: "WEB running".to_owned(), ..Filter::default() }, [true, false]);
        check(&Filter { words: "nothing".to_owned(), ..Filter::default() }, [false, false]);
        check(&Filter { only: Some(Ref::new("Deployment", "default", "web")), ..Filter::default() }, [true, false]);
        check(&Filter { only: Some(Ref::new("DaemonSet", "default", "log")), ..Filter::default() }, [false, true]);
    }
}
