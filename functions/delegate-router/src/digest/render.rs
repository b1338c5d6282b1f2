//! Renders a digest as a mail.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

use crate::digest::category::DigestCategory;
use crate::digest::item::DigestItem;
use crate::digest::summary::{Group, Summary};
use crate::rendered_mail::{FOOTER, RenderedMail, escaped, html_page};

/// Maximum number of categories in the subject.
const MAX_CATEGORIES: usize = 3;

impl Summary {
    /// Renders the digest of a window that starts at `start`.
    #[must_use]
    pub fn render(&self, start: Timestamp, length: SignedDuration) -> RenderedMail {
        let end = start + length;
        let period = format!(
            "{} to {} UTC",
            start.strftime("%Y-%m-%d %H:%M"),
            end.strftime("%Y-%m-%d %H:%M")
        );
        RenderedMail {
            subject: self.subject(),
            text: self.text(&period),
            html: self.html(&period),
        }
    }

    fn subject(&self) -> String {
        let mut by_category: BTreeMap<DigestCategory, usize> = BTreeMap::new();
        for (group, items) in &self.groups {
            *by_category.entry(group.category).or_default() += items.count;
        }
        let mut counts: Vec<String> = by_category
            .iter()
            .take(MAX_CATEGORIES)
            .map(|(category, count)| format!("{} ({count})", category.title().to_lowercase()))
            .collect();
        if by_category.len() > counts.len() || by_category.is_empty() {
            counts.push("more".to_owned());
        }
        format!("Amazon SES: {}", counts.join(", "))
    }

    fn text(&self, period: &str) -> String {
        let mut out = format!("Notifications of Amazon SES from {period}.\n");
        for (group, items) in &self.groups {
            let title = group.category.title();
            let _ = write!(out, "\n{title}: {}\n{}\n", items.count, group.describe_sender());
            let _ = writeln!(out, "What to do: {}", group.category.advice());
            for item in &items.listed {
                let _ = writeln!(out, "- {}", item.text());
            }
            if let Some(unlisted) = items.unlisted() {
                let _ = writeln!(out, "  and {unlisted} more");
            }
        }
        for remark in self.remarks() {
            let _ = write!(out, "\n{remark}\n");
        }
        let _ = write!(out, "\n{FOOTER}\n");
        out
    }

    fn html(&self, period: &str) -> String {
        let mut out = format!("<p>Notifications of Amazon SES from {period}.</p>\n");
        for (group, items) in &self.groups {
            let _ = writeln!(
                out,
                "<h2>{}: {}</h2><p>{}</p><p><strong>What to do:</strong> {}</p><ul>",
                group.category.title(),
                items.count,
                escaped(&group.describe_sender()),
                group.category.advice()
            );
            for item in &items.listed {
                let _ = writeln!(out, "<li>{}</li>", item.html());
            }
            out.push_str("</ul>");
            if let Some(unlisted) = items.unlisted() {
                let _ = write!(out, "<p>and {unlisted} more</p>");
            }
            out.push('\n');
        }
        for remark in self.remarks() {
            let _ = writeln!(out, "<p>{remark}</p>");
        }
        html_page(&out)
    }

    fn remarks(&self) -> impl Iterator<Item = String> {
        let ungrouped =
            (self.ungrouped > 0).then(|| format!("And {} more of other identities or accounts.", self.ungrouped));
        let unreadable = (self.unreadable > 0).then(|| format!("And {} that cannot be displayed.", self.unreadable));
        ungrouped.into_iter().chain(unreadable)
    }
}

impl Group {
    fn describe_sender(&self) -> String {
        if self.owner == self.account {
            return format!(
                "Mail from {}, sent by its owner, account {}.",
                self.identity, self.owner
            );
        }
        format!(
            "Mail from {} (account {}), sent by account {}.",
            self.identity, self.owner, self.account
        )
    }
}

impl DigestItem {
    fn text(&self) -> String {
        format!(
            "{}{} ({})",
            self.describe_recipients(),
            self.cause_suffix(),
            self.describe_message()
        )
    }

    fn html(&self) -> String {
        format!(
            "<strong>{}</strong>{}<br><small>{}</small>",
            escaped(&self.describe_recipients()),
            escaped(&self.cause_suffix()),
            escaped(&self.describe_message())
        )
    }

    fn describe_recipients(&self) -> String {
        let mut text = match self.recipients.as_slice() {
            [] => "one of its recipients".to_owned(),
            recipients => recipients.join(", "),
        };
        if self.more_recipients > 0 {
            let _ = write!(text, " and {} more", self.more_recipients);
        }
        text
    }

    fn cause_suffix(&self) -> String {
        if self.cause.is_empty() {
            String::new()
        } else {
            format!(": {}", self.cause)
        }
    }

    fn describe_message(&self) -> String {
        let subject = self
            .subject
            .as_ref()
            .map(|subject| format!("\"{subject}\", "))
            .unwrap_or_default();
        let time = self.at.strftime("%Y-%m-%d %H:%M");
        format!("{subject}{time}, message {}", self.message_id)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use crate::digest::summary::{MAX_GROUPS, MAX_ITEMS, Summary};

    fn item(identity: &str, number: usize, cause: &str) -> String {
        json!({
            "category": "hard-bounce", "at": "2026-03-02T08:15:32Z", "recipients": [format!("jane{number}@example.net")],
            "cause": cause, "messageId": format!("m{number}"), "identity": identity, "owner": "111122223333",
            "account": "222233334444",
        })
        .to_string()
    }

    fn rendered(summary: &Summary) -> (String, String) {
        let start: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let mail = summary.render(start, SignedDuration::from_hours(1));
        (mail.text, mail.html)
    }

    #[test]
    fn the_length_is_limited_for_any_number_of_items() {
        let mut summary = Summary::default();
        for number in 0..20_000 {
            let identity = format!("shop{}.example", number % 100);
            summary.add(&item(&identity, number, &"x".repeat(300)));
        }
        assert_eq!(summary.notifications(), 20_000);
        let (text, html) = rendered(&summary);
        assert!(text.contains("  and 180 more\n"), "{text}");
        assert!(
            text.contains("And 15000 more of other identities or accounts."),
            "{text}"
        );
        assert_eq!(text.matches("\n- ").count(), MAX_GROUPS * MAX_ITEMS);
        assert!(html.len() < 400_000, "{} bytes", html.len());
    }

    #[test]
    fn texts_of_remote_parties_are_escaped() {
        let mut summary = Summary::default();
        summary.add(&item("shop.example", 1, "550 <script>alert(1)</script> & \"more\""));
        summary.add("not an item");
        let (text, html) = rendered(&summary);
        assert!(!html.contains("<script>"), "{html}");
        assert!(
            html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"),
            "{html}"
        );
        assert!(text.contains("And 1 that cannot be displayed."), "{text}");
    }
}
