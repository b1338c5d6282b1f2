//! The lines of a TOML document, by key path such as `route[2].target`.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where every key and value of a document is.
pub(super) struct Positions {
    line_starts: Vec<usize>,
    entries: Vec<Entry>,
    lines_by_path: BTreeMap<String, usize>,
}

struct Entry {
    path: String,
    spans: Vec<Range<usize>>,
}

impl Positions {
    /// The positions in a text that may not be valid TOML: lines only.
    pub(super) fn of_text(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            line_starts: breaks.map(|(index, _)| index + 1).collect(),
            entries: Vec::new(),
            lines_by_path: BTreeMap::new(),
        }
    }

    pub(super) fn of_document(text: &str, document: &Spanned<DeTable<'_>>) -> Self {
        let mut positions = Self::of_text(text);
        positions.add_table(document.get_ref(), "");
        positions
    }

    /// The line at a byte offset, from 1.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset) + 1
    }

    /// The line of a key path. A missing key is reported at the line of its table.
    pub(super) fn line_of(&self, path: &str) -> usize {
        let mut known = path;
        loop {
            if let Some(line) = self.lines_by_path.get(known) {
                return *line;
            }
            match known.rsplit_once('.') {
                Some((parent, _)) => known = parent,
                None => return 1,
            }
        }
    }

    /// The key path of the smallest key or value at a span; empty for the document itself.
    pub(super) fn path_at(&self, span: &Range<usize>) -> &str {
        let exact = self.entries.iter().rev().find(|entry| entry.spans.contains(span));
        let around = || {
            let spans = self
                .entries
                .iter()
                .flat_map(|entry| entry.spans.iter().map(move |span| (span.len(), entry)));
            spans
                .filter(|(_, entry)| entry.spans.iter().any(|own| own.contains(&span.start)))
                .min_by_key(|(length, _)| *length)
                .map(|(_, entry)| entry)
        };
        exact.or_else(around).map_or("", |entry| entry.path.as_str())
    }

    fn add_table(&mut self, table: &DeTable<'_>, parent: &str) {
        for (key, value) in table {
            // Escaped, because a quoted key may contain line breaks.
            let name = key.get_ref().escape_debug();
            let path = match parent {
                "" => name.to_string(),
                parent => format!("{parent}.{name}"),
            };
            let mut line = self.line_at(key.span().start);
            // The span of a table is that of its header, which follows the first use of its key.
            if let DeValue::Table(_) = value.get_ref() {
                line = line.max(self.line_at(value.span().start));
            }
            self.add(path, line, vec![key.span(), value.span()], value);
        }
    }

    fn add(&mut self, path: String, line: usize, spans: Vec<Range<usize>>, value: &Spanned<DeValue<'_>>) {
        self.lines_by_path.insert(path.clone(), line);
        self.entries.push(Entry {
            path: path.clone(),
            spans,
        });
        match value.get_ref() {
            DeValue::Table(table) => self.add_table(table, &path),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let line = self.line_at(item.span().start);
                    self.add(format!("{path}[{}]", index + 1), line, vec![item.span()], item);
                }
            }
            _ => {}
        }
    }
}
