//! Groups the items of a digest, within limits.

use std::collections::BTreeMap;

use crate::digest::category::DigestCategory;
use crate::digest::item::DigestItem;

/// Maximum number of items that are listed of a group.
pub(super) const MAX_ITEMS: usize = 20;
/// Maximum number of groups. Items of further groups are only counted.
pub(super) const MAX_GROUPS: usize = 25;

/// The items of a digest by group. Its size is limited, whatever the number of items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub(super) groups: BTreeMap<Group, Items>,
    /// The number of items beyond the maximum number of groups.
    pub(super) ungrouped: usize,
    /// The number of items that cannot be read.
    pub(super) unreadable: usize,
}

/// What the items of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) category: DigestCategory,
    pub(super) identity: String,
    pub(super) owner: String,
    pub(super) account: String,
}

/// The items of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Items {
    /// The number of all items.
    pub(super) count: usize,
    /// The first items.
    pub(super) listed: Vec<DigestItem>,
}

impl Summary {
    /// Adds an item, in the text form of the table.
    pub fn add(&mut self, text: &str) {
        let Some(item) = DigestItem::from_text(text) else {
            self.unreadable += 1;
            return;
        };
        let group = Group {
            category: item.category,
            identity: item.identity.clone(),
            owner: item.owner.clone(),
            account: item.account.clone(),
        };
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&group) {
            self.ungrouped += 1;
            return;
        }
        let items = self.groups.entry(group).or_default();
        items.count += 1;
        if items.listed.len() < MAX_ITEMS {
            items.listed.push(item);
        }
    }

    /// Returns whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.unreadable == 0
    }

    /// The number of items.
    #[must_use]
    pub fn notifications(&self) -> usize {
        let grouped: usize = self.groups.values().map(|items| items.count).sum();
        grouped + self.ungrouped + self.unreadable
    }
}

impl Items {
    /// The number of items that are not listed, if there are any.
    pub(super) fn unlisted(&self) -> Option<usize> {
        self.count.checked_sub(self.listed.len()).filter(|count| *count > 0)
    }
}
