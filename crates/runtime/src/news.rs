//! What changes are about, found out once for all who may be told of them.

use std::sync::Arc;

use meta::{KindId, Object};
use store::Change;

use crate::View;

/// A set of news: what changes are about, or which of them concern somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct News {
    /// Bits of [`News::CREATED`] and so on.
    about: u16,
    /// By what the objects are controlled, as bits of [`owner`].
    owners: u16,
}

impl News {
    /// Whatever happens.
    pub const ANY: News = News { about: u16::MAX, owners: u16::MAX };
    /// An object came.
    pub const CREATED: News = about(0);
    /// An object has gone.
    pub const GONE: News = about(1);
    /// Of an object something changed that is neither metadata nor status.
    pub const SPEC: News = about(2);
    pub const STATUS: News = about(3);
    pub const LABELS: News = about(4);
    /// Owner references came, changed or went, also together with their object.
    pub const OWNERS: News = about(5);
    /// Whatever happens to an object that is being deleted, until it has gone.
    pub const DELETING: News = about(6);
    /// What else there may be.
    const REST: News = about(7);

    /// Both.
    #[must_use]
    pub const fn or(self, other: News) -> News {
        News { about: self.about | other.about, owners: self.owners | other.owners }
    }

    /// Of these only what happens to objects without a controlling owner, before or after the change.
    #[must_use]
    pub const fn of_orphans(self) -> News {
        News { owners: owner(None), ..self }
    }

    /// Of these only what happens to objects whose controlling owner is of this kind (its name in owner references), before
    /// or after the change.
    #[must_use]
    pub const fn of_owner(self, kind: &str) -> News {
        News { owners: owner(Some(kind)), ..self }
    }

    /// Whether some of `others` may be among these.
    #[inline]
    pub const fn meets(self, others: News) -> bool {
        self.about & others.about != 0 && self.owners & others.owners != 0
    }

    /// What a change is about; what is not shared with the state before counts as changed.
    pub fn of(change: &Change) -> News {
        let (object, after) = (change.object(), change.after.as_deref());
        let (mut news, before) = match (change.before.as_deref(), after) {
            (Some(before), Some(after)) => (between(before, after), Some(before)),
            (None, _) => (News::CREATED.about, None),
            (_, None) => (News::GONE.about, None),
        };
        let same_owners = match before {
            Some(before) => Arc::ptr_eq(&before.meta.owners, &object.meta.owners),
            None => object.meta.owners.is_empty(),
        };
        let mut owners = owner_of(object);
        if !same_owners {
            news |= News::OWNERS.about;
            owners |= before.map_or(0, owner_of);
        }
        if after.is_some_and(|it| it.meta.is_deleted()) {
            news |= News::DELETING.about;
        }
        News { about: news, owners }
    }
}

/// Changes of a kind that may concern somebody, who is told of no others.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub kind: KindId,
    pub news: News,
    /// Only while there are objects of this kind.
    pub while_any: Option<KindId>,
}

impl Wanted {
    /// Whatever happens to objects of a kind.
    pub const fn any(kind: KindId) -> Wanted {
        Wanted { kind, news: News::ANY, while_any: None }
    }

    /// Whether changes of the kind that are about `news` may be among these.
    #[inline]
    pub fn meets(&self, news: News, view: &View<'_>) -> bool {
        self.news.meets(news) && self.is_time(view)
    }

    /// Whether there are the objects without which none of these concern anybody.
    pub fn is_time(&self, view: &View<'_>) -> bool {
        self.while_any.is_none_or(|it| !view.is_empty(it))
    }

    /// These and others of the same kind.
    #[must_use]
    pub fn or(self, other: Wanted) -> Wanted {
        let while_any = self.while_any.filter(|it| other.while_any == Some(*it));
        Wanted { news: self.news.or(other.news), while_any, ..self }
    }
}

const fn about(bit: u32) -> News {
    News { about: 1 << bit, owners: u16::MAX }
}

/// Kinds of owners are told apart by the lengths of their names: that is enough to ask few in vain.
const fn owner(kind: Option<&str>) -> u16 {
    match kind {
        None => 1 << 15,
        Some(it) => 1 << (it.len() % 15),
    }
}

fn owner_of(object: &Object) -> u16 {
    owner(object.meta.controller().map(|it| it.kind.as_str()))
}

/// What two versions of an object do not share.
fn between(before: &Object, after: &Object) -> u16 {
    let mut news = News::REST.about;
    if !before.meta.labels.same(&after.meta.labels) {
        news |= News::LABELS.about;
    }
    if !before.body.has_keys_of(&after.body) {
        return news | News::SPEC.about | News::STATUS.about;
    }
    for ((key, value), before) in after.body.iter().zip(before.body.values()) {
        if !value.same(before) {
            news |= if key == "status" { News::STATUS.about } else { News::SPEC.about };
        }
    }
    news
}
